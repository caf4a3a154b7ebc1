"""`watch`: a job's events until it ends; the exit code says how it ended."""

from __future__ import annotations

import sys
from collections.abc import Iterable

import typer

from core import wire
from core.epochs import planned_epochs
from core.job import EventType, Status
from core.views import JobView
from trainwire import bars
from trainwire.client import Client
from trainwire.commands.options import AsJson, JobId, Url, console
from trainwire.exits import Exit, errors_told, of_status
from trainwire.watching import Event


def watch(*, job_id: JobId, as_json: AsJson = False, url: Url = None) -> None:
    """Show a job's losses until it ends; the exit code says how it ended."""
    with errors_told(as_json=as_json), Client(url) as client:
        follow(client, client.job(job_id), as_json=as_json)


def follow(client: Client, job: JobView, *, as_json: bool) -> None:
    """Show the events and end the command as the job ended; Ctrl-C leaves the job alone."""
    try:
        if as_json:
            ended = _lines(client.watch(job.id))
        else:
            ended = bars.show(client.watch(job.id), console=console(), epochs=planned_epochs(job.spec))
    except KeyboardInterrupt:
        print(f"\nDetached; {job.id} goes on. Come back with: trainwire watch {job.id}", file=sys.stderr)
        raise typer.Exit(Exit.DETACHED) from None
    raise typer.Exit(of_status(ended))


def _lines(events: Iterable[Event]) -> Status:
    """Print the stored events as JSON lines."""
    ended = Status.SUCCEEDED
    for event in events:
        if event.seq is None:
            continue
        print(wire.dumps({"seq": event.seq, "type": event.type, "at": _when(event), "data": event.data}), flush=True)
        if event.type is EventType.END:
            ended = Status(event.data["status"])
    return ended


def _when(event: Event) -> str | None:
    return wire.rfc3339(event.at) if event.at else None
