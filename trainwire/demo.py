"""The first five minutes: a real model on real data through the HTTP API, and what to type next."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from core import wire
from core.epochs import planned_epochs
from core.job import Status
from core.sentences import number
from core.views import EpochView, JobView
from trainwire import bars, folder
from trainwire.address import USUAL_URL
from trainwire.child_service import Service, service_on
from trainwire.client import Client
from trainwire.exits import Exit, errors_told, of_status

SPEC = "01_digits_mlp.json"
PATIENCE_S = 15.0
"""A service of our own that is gone does not come back."""


def demo(
    *,
    data: Annotated[Path, typer.Option(help="The folder of the service.")] = folder.USUAL,
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False,
) -> None:
    """Train a first model on real data, from POST to weights."""
    console = Console(highlight=False, quiet=as_json)
    with errors_told(as_json=as_json):
        try:
            with service_on(data) as service, Client(service.url) as client:
                job = _train(client, service, console)
                weights = _weights(client, job, data=data)
        except KeyboardInterrupt:
            print(f"\nStopped; `{_up(data)}` goes on with what was submitted.", file=sys.stderr)
            raise typer.Exit(Exit.DETACHED) from None
    if as_json:
        print(wire.dumps({"job": job.model_dump(mode="json"), "weights": weights, "curl": _curl(service)}))
    else:
        _tell(job, service, console=console, weights=weights, data=data)
    raise typer.Exit(of_status(job.status))


def example(name: str) -> Path:
    """A spec of `examples/`: of the checkout one stands in, else what was installed, else beside this package."""
    here = Path("examples") / name
    installed = Path(__file__).with_name("examples") / name
    return next((path for path in (here, installed) if path.is_file()), Path(__file__).parents[1] / here)


def _train(client: Client, service: Service, console: Console) -> JobView:
    doing = "Started a service" if service.is_ours else "Using the service that runs"
    console.print(f"{doing} at {service.url}", soft_wrap=True)
    spec = _short(example(SPEC))
    job = client.submit(json.loads(example(SPEC).read_text(encoding="utf-8")))
    console.print(f"POST /v1/jobs  <- {spec}  -> {job.id}", soft_wrap=True)
    bars.show(client.watch(job.id, patience_s=PATIENCE_S), console=console, epochs=planned_epochs(job.spec))
    return client.job(job.id)


def _weights(client: Client, job: JobView, *, data: Path) -> str | None:
    """Where the weights lie on this disk; where to download them, if they lie elsewhere."""
    for path in (data / "artifacts" / job.id).glob("*/model.safetensors"):
        return str(path)
    return next((f"{client.url}{file.url}" for file in client.artifacts(job.id)), None)


def _tell(job: JobView, service: Service, *, console: Console, weights: str | None, data: Path) -> None:
    row = _kept(job)
    if row is not None:
        accuracy = number((row.model_extra or {}).get("val_accuracy"))
        words = f"\nvalidation accuracy {accuracy} (the weights of epoch {row.epoch})"
        console.print(words, style="bold", soft_wrap=True)
    lines = {
        "weights": weights or "none",
        "by curl": _curl(service),
        "next": f"{_command()} submit {_short(example(SPEC))} --watch{_elsewhere(service, data)}",
    }
    for name, text in lines.items():
        console.print(f"{name:<8} {text}", soft_wrap=True, markup=False)
    if service.is_ours:
        back = f"\nThe service has stopped; `{_up(data)}` brings it and this job back at {USUAL_URL}."
        console.print(back, soft_wrap=True, markup=False)


def _kept(job: JobView) -> EpochView | None:
    """The epoch whose weights were kept."""
    if job.status is not Status.SUCCEEDED:
        return None
    stopping = job.spec.get("early_stopping")
    return job.best if stopping and stopping["restore_best"] else job.latest


def _curl(service: Service) -> str:
    url = USUAL_URL if service.is_ours else service.url
    key = ' -H "Authorization: Bearer $TRAINWIRE_API_KEY"' if os.environ.get("TRAINWIRE_API_KEY") else ""
    return f"curl {url}/v1/jobs -H 'Content-Type: application/json'{key} -d @{shlex.quote(_short(example(SPEC)))}"


def _elsewhere(service: Service, data: Path) -> str:
    """What a command needs to find a service that it does not find by itself."""
    return "" if service.is_ours or data == folder.USUAL else f" --url {service.url}"


def _up(data: Path) -> str:
    if data == folder.USUAL and Path("Makefile").is_file() and Path("examples", SPEC).is_file():
        return "make up"
    return f"{_command()} up" if data == folder.USUAL else f"{_command()} up --data {shlex.quote(str(data))}"


def _command() -> str:
    """How this command is called from here: by its name where that finds it, else by its path."""
    called = Path(sys.argv[0])
    if called.name != "trainwire" or shutil.which("trainwire") == str(called):
        return "trainwire"
    return _short(called)


def _short(path: Path) -> str:
    """`path` as it is shortest to type from here."""
    return min(os.path.relpath(path), str(path), key=len)
