"""`mlflow`: what jobs tell, to a tracking server of the user's own."""

from __future__ import annotations

import os
from typing import Annotated

import httpx
import typer

from core.views import JobView
from trainwire.client import Client
from trainwire.commands.options import Url
from trainwire.exits import Exit, errors_told
from trainwire.forwarding import Forwarder, Token, Tracking


def mlflow(
    *,
    to: Annotated[
        str,
        typer.Argument(metavar="TRACKING_URL", envvar="MLFLOW_TRACKING_URI", help="The tracking server, http://…"),
    ],
    experiment: Annotated[
        str, typer.Option(envvar="MLFLOW_EXPERIMENT_NAME", help="Where the runs go; made where there is none.")
    ] = "trainwire",
    once: Annotated[bool, typer.Option("--once", help="Forward what there is, and end.")] = False,
    url: Url = None,
) -> None:
    """Forward all jobs to an MLflow tracking server, live, until Ctrl-C.

    It reads the service as any client does: no job waits for it or fails by it, and it goes on where it stopped.
    MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, are sent where they are set.
    """
    with errors_told(as_json=False), Client(url) as client:
        next(client.jobs(limit=1), None)  # a service that is not there is said at once
        forwarder = Forwarder(client, Tracking(to, experiment=experiment, auth=_credentials()), told=_tell)
        try:
            forwarder.all() if once else forwarder.follow()
        except KeyboardInterrupt:
            raise typer.Exit(Exit.DETACHED) from None


def _tell(job: JobView) -> None:
    print(f"{job.id} {job.status}: {job.name}", flush=True)


def _credentials() -> httpx.Auth | None:
    if token := os.environ.get("MLFLOW_TRACKING_TOKEN"):
        return Token(token)
    name, password = (os.environ.get(f"MLFLOW_TRACKING_{word}") for word in ("USERNAME", "PASSWORD"))
    return None if name is None or password is None else httpx.BasicAuth(name, password)
