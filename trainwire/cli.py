"""The command line: what a user types, each command a few lines over the Python client."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import BaseModel
from rich.console import Console

from core import wire
from core.errors import BadRequest
from core.job import EventType, Status
from core.views import JobView
from trainwire import bars, demo, figures
from trainwire.client import Client
from trainwire.exits import Exit, errors_told, of_status
from trainwire.serving import migrate, up
from trainwire.watching import Event

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (up, demo.demo, migrate):
    app.command()(command)

Url = Annotated[
    str | None,
    typer.Option(envvar="TRAINWIRE_URL", help="The service. [default: the one on ./trainwire-data, else port 8000]"),
]
AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]
JobId = Annotated[str, typer.Argument(metavar="ID", help="The job, as `submit` and `jobs` name it.")]


@app.callback(invoke_without_command=True)
def root(
    *,
    show_version: Annotated[bool, typer.Option("--version", help="Say which version this is.", is_eager=True)] = False,
) -> None:
    """Train PyTorch models over HTTP: submit a spec, watch the losses arrive, take the model home.

    TRAINWIRE_API_KEY is sent where it is set. Exit codes: 0 succeeded, 1 failed, 2 refused or wrong usage,
    3 cancelled, 4 no server, 130 detached.
    """
    if show_version:
        print(f"trainwire {version('trainwire')}")
        raise typer.Exit


@app.command()
def submit(
    *,
    file: Annotated[str, typer.Argument(metavar="FILE|-", help="A job spec in JSON; - reads standard input.")],
    watch: Annotated[bool, typer.Option("--watch", help="Stay and show the losses.")] = False,
    as_json: AsJson = False,
    url: Url = None,
) -> None:
    """Queue a job."""
    with errors_told(as_json=as_json), Client(url) as client:
        job = client.submit(_spec(file))
        if as_json:
            _print_json(job)
        else:
            print(f"{job.id} {job.status}: {job.name}")
        if watch:
            _watch(client, job, as_json=as_json)
        elif not as_json:
            print(f"Watch it: trainwire watch {job.id}")


@app.command()
def watch(*, job_id: JobId, as_json: AsJson = False, url: Url = None) -> None:
    """Show a job's losses until it ends; the exit code says how it ended."""
    with errors_told(as_json=as_json), Client(url) as client:
        _watch(client, client.job(job_id), as_json=as_json)


@app.command()
def jobs(
    *,
    status: Annotated[Status | None, typer.Option(help="Only jobs with this status.")] = None,
    name: Annotated[str | None, typer.Option(help="Only jobs of this name.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, newest first.")] = 20,
    as_json: AsJson = False,
    url: Url = None,
) -> None:
    """List the jobs, newest first."""
    with errors_told(as_json=as_json), Client(url) as client:
        found = list(client.jobs(status=status, name=name, limit=limit))
    if as_json:
        print(wire.dumps({"data": [job.model_dump(mode="json") for job in found]}))
    else:
        console = _console()
        console.print(figures.jobs_table(found, width=console.width))


@app.command()
def show(*, job_id: JobId, as_json: AsJson = False, url: Url = None) -> None:
    """Show how a job stands."""
    with errors_told(as_json=as_json), Client(url) as client:
        job = client.job(job_id)
    if as_json:
        _print_json(job)
    else:
        _console().print(figures.job_page(job), json.dumps(job.spec, indent=2), soft_wrap=True, sep="\n\n")


@app.command()
def cancel(*, job_id: JobId, as_json: AsJson = False, url: Url = None) -> None:
    """End a job; repeatable."""
    with errors_told(as_json=as_json), Client(url) as client:
        job = client.cancel(job_id)
    if as_json:
        _print_json(job)
    else:
        print(f"{job.id} {job.status}")


@app.command()
def download(
    *,
    job_id: JobId,
    to: Annotated[Path | None, typer.Option(help="The folder to fill. [default: one named by the job]")] = None,
    as_json: AsJson = False,
    url: Url = None,
) -> None:
    """Fetch a job's weights and their description, each checked."""
    with errors_told(as_json=as_json), Client(url) as client:
        paths = [str(path) for path in client.download(job_id, to)]
    print(wire.dumps({"files": paths}) if as_json else "\n".join(paths))


@app.command()
def catalog(*, as_json: AsJson = False, url: Url = None) -> None:
    """List every dataset, model, loss, optimizer, scheduler and metric that a spec can name."""
    with errors_told(as_json=as_json), Client(url) as client:
        parts = client.catalog()
    if as_json:
        _print_json(parts)
    else:
        _console().print(figures.catalog_page(parts))


def _watch(client: Client, job: JobView, *, as_json: bool) -> None:
    """Show the events and end the command as the job ended; Ctrl-C leaves the job alone."""
    try:
        if as_json:
            ended = _lines(client.watch(job.id))
        else:
            ended = bars.show(client.watch(job.id), console=_console(), epochs=job.spec["epochs"])
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


def _spec(file: str) -> dict[str, Any]:
    name = "Standard input" if file == "-" else file
    try:
        spec = json.loads(sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes())
    except OSError as error:
        raise BadRequest(f"{name} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise BadRequest(f"{name} is not JSON: it is not text.") from error
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"{name} is not JSON: {error}.") from error
    if not isinstance(spec, dict):
        raise BadRequest(f"{name} holds no job spec: a spec is a JSON object with at least dataset and model.")
    return spec


def _print_json(view: BaseModel) -> None:
    print(view.model_dump_json(by_alias=True))


def _console() -> Console:
    """A terminal's own width; a file or a pipe gets whole lines."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=250)
