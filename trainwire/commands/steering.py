"""The commands that change a job: `pause`, `resume`, `cancel` and `delete`; each may be repeated."""

from __future__ import annotations

from typing import Annotated

import typer

from core import wire
from trainwire.client import Client
from trainwire.commands.options import AsJson, JobId, Url, print_status
from trainwire.exits import errors_told


def pause(*, job_id: JobId, as_json: AsJson = False, url: Url = None) -> None:
    """Stop a job behind a checkpoint and free its slot; repeatable."""
    with errors_told(as_json=as_json), Client(url) as client:
        print_status(client.pause(job_id), as_json=as_json)


def resume(*, job_id: JobId, as_json: AsJson = False, url: Url = None) -> None:
    """Let a paused job go on where it stopped; repeatable."""
    with errors_told(as_json=as_json), Client(url) as client:
        print_status(client.resume(job_id), as_json=as_json)


def cancel(
    *,
    job_id: JobId,
    force: Annotated[bool, typer.Option("--force", help="Kill the run; it keeps what was stored.")] = False,
    as_json: AsJson = False,
    url: Url = None,
) -> None:
    """End a job; repeatable."""
    with errors_told(as_json=as_json), Client(url) as client:
        print_status(client.cancel(job_id, force=force), as_json=as_json)


def delete(*, job_id: JobId, as_json: AsJson = False, url: Url = None) -> None:
    """Delete an ended job, its figures and its files; repeatable."""
    with errors_told(as_json=as_json), Client(url) as client:
        client.delete(job_id)
    print(wire.dumps({"id": job_id, "deleted": True}) if as_json else f"{job_id} deleted")
