"""The commands that make a job: `submit` one, `retry` one that ended badly, `fork` one at an epoch."""

from __future__ import annotations

from typing import Annotated

import typer

from core.views import JobView
from trainwire.client import Client
from trainwire.commands.following import follow
from trainwire.commands.options import AsJson, JobId, Url, Watch, print_json
from trainwire.exits import errors_told
from trainwire.reading import json_object, patch_of

SPEC_WANTED = "job spec: a spec is a JSON object with at least dataset and model"


def submit(
    *,
    file: Annotated[str, typer.Argument(metavar="FILE|-", help="A job spec in JSON; - reads standard input.")],
    watch: Watch = False,
    as_json: AsJson = False,
    url: Url = None,
) -> None:
    """Queue a job."""
    with errors_told(as_json=as_json), Client(url) as client:
        job = client.submit(json_object(file, what=SPEC_WANTED))
        queued(client, job, watch=watch, as_json=as_json)


def retry(
    *,
    job_id: JobId,
    from_start: Annotated[bool, typer.Option("--from-start", help="Not from its last checkpoint.")] = False,
    watch: Watch = False,
    as_json: AsJson = False,
    url: Url = None,
) -> None:
    """Queue a failed or cancelled job again, as a new job from its last checkpoint."""
    with errors_told(as_json=as_json), Client(url) as client:
        queued(client, client.retry(job_id, from_start=from_start), watch=watch, as_json=as_json)


def fork(  # noqa: PLR0913  an option each
    *,
    job_id: JobId,
    epoch: Annotated[int | None, typer.Option(min=0, help="Go on behind it.", show_default="the newest")] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change a setting: lr=0.01, model.dropout=0.2; repeatable."),
    ] = None,
    patch: Annotated[
        str | None, typer.Option(metavar="FILE|-", help="A JSON Merge Patch of the spec; - reads standard input.")
    ] = None,
    watch: Watch = False,
    as_json: AsJson = False,
    url: Url = None,
) -> None:
    """Queue a new job that goes on where another stood, with some settings changed."""
    with errors_told(as_json=as_json), Client(url) as client:
        wanted = patch_of(patch, settings or [])
        queued(client, client.fork(job_id, epoch=epoch, patch=wanted), watch=watch, as_json=as_json)


def queued(client: Client, job: JobView, *, watch: bool, as_json: bool) -> None:
    """Tell of a new job, and with `watch` follow it to its end."""
    if as_json:
        print_json(job)
    else:
        print(f"{job.id} {job.status}: {job.name}{_descent(job)}")
    if watch:
        follow(client, job, as_json=as_json)
    elif not as_json:
        print(f"Watch it: trainwire watch {job.id}")


def _descent(job: JobView) -> str:
    return f", behind epoch {job.parent.epoch or 0} of {job.parent.id}" if job.parent else ""
