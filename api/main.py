"""The distributed door: the API as a process of its own, from its settings."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from contextlib import ExitStack, closing

from api.app import create_app
from api.bells import CeleryWorkBell
from api.listening import bound, check_exposure
from api.server import serve
from core.artifacts import mark
from core.configuration import configured
from core.errors import StartRefused
from core.redis_bell import RedisWatchBell
from core.settings import Settings
from core.store import Store
from core.store.schema import is_current

log = logging.getLogger("trainwire.api")


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until told to stop; 1 and one sentence when that cannot be."""
    asked = _parser().parse_args(arguments)
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s %(message)s")
    log.setLevel(logging.INFO)
    try:
        run(configured(), host=asked.host, port=asked.port)
    except StartRefused as refused:
        sys.stderr.write(f"{refused.message}\n")
        return 1
    return 0


def run(settings: Settings, *, host: str, port: int) -> None:
    """Serve the API over the database, the broker and the folder that the settings name."""
    check_exposure(host, has_key=settings.api_key is not None)
    if not settings.broker_url:
        raise StartRefused("TRAINWIRE_BROKER_URL is not set: the API reaches its workers through Redis.")
    if not is_current(settings.database_url):
        raise StartRefused("The database is not migrated to this version: run `trainwire migrate` first.")
    mark(settings.artifacts)
    with ExitStack() as stack:
        listener = stack.enter_context(bound(host, port))
        store = stack.enter_context(closing(Store.open(settings.database_url, settings=settings)))
        watch_bell = stack.enter_context(closing(RedisWatchBell(settings.broker_url)))
        work_bell = stack.enter_context(closing(CeleryWorkBell(settings.broker_url, served=lambda: _served(store))))
        app = create_app(store=store, watch_bell=watch_bell, work_bell=work_bell, settings=settings)
        serve(app, host, port, listener=listener, ready=lambda url: log.info("listening on %s", url))


def _served(store: Store) -> set[str]:
    return {queue for worker in store.workers() for queue in worker.queues}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m api", description="Serve Trainwire's API (set up by TRAINWIRE_*).")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    return parser
