"""The commands that run a service: `up`, and `migrate` for the distributed one."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import typer

from core import wire
from core.configuration import configured
from trainwire import folder
from trainwire.exits import errors_told


def up(
    *,
    host: Annotated[str, typer.Option(help="The address to listen on; beyond loopback only with a key.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port; 0 takes a free one.")] = 8000,
    data: Annotated[Path, typer.Option(help="The folder of everything: database, weights, caches.")] = folder.USUAL,
    slots: Annotated[
        int | None,
        typer.Option(min=1, max=64, help="Jobs at a time.", show_default="one per GPU, else the cores, at most 4"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Say where it listens in JSON.")] = False,
) -> None:
    """Serve until Ctrl-C: the API and the training in one process, nothing else needed."""
    from trainwire.local import Place, serve

    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")

    def announce(place: Place) -> None:
        if as_json:
            print(wire.dumps(place.facts()), flush=True)
        else:
            print(place.words(), flush=True)

    with errors_told(as_json=False):
        serve(host=host, port=port, data=data, slots=slots, announce=announce)


def migrate(*, as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False) -> None:
    """Prepare the distributed service: the tables of TRAINWIRE_DATABASE_URL and the folder TRAINWIRE_ARTIFACTS."""
    from core import artifacts
    from core.store import schema

    with errors_told(as_json=as_json):
        settings = configured()
        schema.upgrade(settings.database_url)
        artifacts.mark(settings.artifacts)
    done = {"database": "current", "artifacts": str(settings.artifacts)}
    print(wire.dumps(done) if as_json else f"The database is current; artifacts go to {settings.artifacts}.")
