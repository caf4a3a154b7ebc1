"""`report`: what a trained model does with what was held back, as a table or a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from core.errors import BadRequest
from trainwire.client import Client
from trainwire.commands.options import AsJson, JobId, Url, console, print_json
from trainwire.exits import errors_told
from trainwire.reports import report_page

_FORMATS = (".svg", ".png")


def report(
    *,
    job_id: JobId,
    figure: Annotated[str | None, typer.Option(help="Which picture.", show_default="the most telling")] = None,
    to: Annotated[Path | None, typer.Option(help="A file for a picture: its name ends in .svg or .png.")] = None,
    as_json: AsJson = False,
    url: Url = None,
) -> None:
    """Show how good a trained model is on what it was not trained on, or draw a picture of it."""
    with errors_told(as_json=as_json), Client(url) as client:
        if to is not None:
            print(_drawn(client, job_id, figure, to))
            return
        if figure is not None:
            raise BadRequest("A picture needs a file: say --to confusion.svg.")
        found = client.report(job_id)
    if as_json:
        print_json(found)
    else:
        console().print(report_page(found), soft_wrap=True)


def _drawn(client: Client, job_id: str, figure: str | None, to: Path) -> Path:
    if to.suffix not in _FORMATS:
        raise BadRequest(f"{to.name!r} says no format: let it end in .svg or .png.")
    picture = client.picture(job_id, figure, format=to.suffix[1:])
    try:
        to.write_bytes(picture)
    except OSError as error:
        raise BadRequest(f"{to} cannot be written: {error.strerror}.") from error
    return to
