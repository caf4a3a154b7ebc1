"""`export`: a trained model, or its curves, in a format that others read, made by the service and taken home."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from core import wire
from core.exporting.formats import Format
from trainwire.client import Client
from trainwire.commands.options import AsJson, JobId, Url
from trainwire.exits import errors_told


def export(
    *,
    job_id: JobId,
    format: Annotated[Format, typer.Option(help="What to make of the model; tensorboard: of the curves.")],  # noqa: A002  (the option's name)
    to: Annotated[Path | None, typer.Option(help="The folder to fill.", show_default="one named by the job")] = None,
    as_json: AsJson = False,
    url: Url = None,
) -> None:
    """Make a file of a job's model, or of its curves, and fetch it, checked; what was made before comes at once."""
    with errors_told(as_json=as_json), Client(url) as client:
        path = client.fetch(client.export(job_id, format), to or Path(job_id))
    print(wire.dumps({"files": [str(path)]}) if as_json else path)
