"""What commands share: their common options, and how they print."""

from __future__ import annotations

from typing import Annotated

import typer
from pydantic import BaseModel
from rich.console import Console

from core.views import JobView

Url = Annotated[
    str | None,
    typer.Option(
        envvar="TRAINWIRE_URL", help="The service.", show_default="the one on ./trainwire-data, else port 8000"
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]
Watch = Annotated[bool, typer.Option("--watch", help="Stay and show the losses.")]
JobId = Annotated[str, typer.Argument(metavar="ID", help="The job, as `submit` and `jobs` name it.")]


def print_json(view: BaseModel) -> None:
    """Print what the API says, as it says it."""
    print(view.model_dump_json(by_alias=True))


def print_status(job: JobView, *, as_json: bool) -> None:
    """Print how a job stands now."""
    if as_json:
        print_json(job)
    else:
        print(f"{job.id} {job.status}")


def console() -> Console:
    """A terminal's own width; a file or a pipe gets whole lines."""
    here = Console(highlight=False)
    return here if here.is_terminal else Console(highlight=False, width=250)
