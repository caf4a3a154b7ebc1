"""The commands that look: `jobs`, `show`, `checkpoints`, `catalog`, and `download` which takes home."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from core import wire
from core.job import Status
from core.sorting import Sorting
from trainwire import figures
from trainwire.client import Client
from trainwire.commands.options import AsJson, JobId, Url, console, print_json
from trainwire.exits import errors_told


def jobs(  # noqa: PLR0913 - a command's options
    *,
    status: Annotated[Status | None, typer.Option(help="Only jobs with this status.")] = None,
    name: Annotated[str | None, typer.Option(help="Only jobs of this name.")] = None,
    search: Annotated[str | None, typer.Option(help="Only jobs whose name or id has this in it.")] = None,
    order: Annotated[
        Sorting,
        typer.Option(help="Newest or oldest first, or by name, best epoch's loss or end; `-`: from the highest down."),
    ] = Sorting.NEWEST,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 20,
    as_json: AsJson = False,
    url: Url = None,
) -> None:
    """List the jobs, newest first."""
    with errors_told(as_json=as_json), Client(url) as client:
        found = list(client.jobs(status=status, name=name, search=search, order=order, limit=limit))
    if as_json:
        print(wire.dumps({"data": [job.model_dump(mode="json") for job in found]}))
    else:
        here = console()
        here.print(figures.jobs_table(found, width=here.width))


def show(*, job_id: JobId, as_json: AsJson = False, url: Url = None) -> None:
    """Show how a job stands."""
    with errors_told(as_json=as_json), Client(url) as client:
        job = client.job(job_id)
    if as_json:
        print_json(job)
    else:
        console().print(figures.job_page(job), json.dumps(job.spec, indent=2), soft_wrap=True, sep="\n\n")


def checkpoints(*, job_id: JobId, as_json: AsJson = False, url: Url = None) -> None:
    """List the checkpoints that a job can go on from, newest first."""
    with errors_told(as_json=as_json), Client(url) as client:
        found = client.checkpoints(job_id)
    if as_json:
        print(wire.dumps({"data": [one.model_dump(mode="json") for one in found]}))
    else:
        console().print(figures.checkpoints_table(found))


def download(
    *,
    job_id: JobId,
    to: Annotated[Path | None, typer.Option(help="The folder to fill.", show_default="one named by the job")] = None,
    as_json: AsJson = False,
    url: Url = None,
) -> None:
    """Fetch a job's weights and their description, each checked."""
    with errors_told(as_json=as_json), Client(url) as client:
        paths = [str(path) for path in client.download(job_id, to)]
    print(wire.dumps({"files": paths}) if as_json else "\n".join(paths))


def catalog(*, as_json: AsJson = False, url: Url = None) -> None:
    """List every dataset, model, loss, optimizer, scheduler and metric that a spec can name."""
    with errors_told(as_json=as_json), Client(url) as client:
        parts = client.catalog()
    if as_json:
        print_json(parts)
    else:
        console().print(figures.catalog_page(parts))
