"""The embedded service: API, workers and SQLite in one process over one folder; the only module that imports both."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass
from pathlib import Path

from api.listening import bound, check_exposure
from core import artifacts, housekeeping
from core.bell import LocalWatchBell, LocalWorkBell
from core.configuration import configured
from core.settings import Settings
from trainwire import folder
from worker.launcher import Launcher

_ENDING = (signal.SIGINT, signal.SIGTERM)


@dataclass(frozen=True, slots=True)
class Place:
    """Where the service is and what it stands on."""

    url: str
    database: str
    data: str
    slots: int

    def facts(self) -> dict[str, object]:
        """For a program."""
        return {**asdict(self), "pid": os.getpid()}

    def words(self) -> str:
        """For a person."""
        return f"Trainwire listens on {self.url}\ndatabase  {self.database}\nslots     {self.slots}"


def serve(*, host: str, port: int, data: Path, slots: int | None, announce: Callable[[Place], None]) -> None:
    """Serve until SIGTERM or Ctrl-C; raises `StartRefused` with one sentence and nothing touched."""
    settings = configured(database_url=f"sqlite:///{data / 'trainwire.db'}", artifacts=data / "artifacts", slots=slots)
    check_exposure(host, has_key=settings.api_key is not None)
    early = Early()
    with (
        bound(host, port) as listener,
        folder.held(data),
        closing(Launcher(max_lines=settings.max_log_lines)) as launcher,
    ):
        launcher.start()
        _run(settings, listener, announce, early, host=host, data=data, launcher=launcher)


class Early:
    """A signal that comes before the server hears it: the start goes on to a place where it can end tidily."""

    def __init__(self) -> None:
        self.asked = False
        for sign in _ENDING:
            signal.signal(sign, self._hear)

    def _hear(self, *_: object) -> None:
        self.asked = True
        for sign in _ENDING:
            signal.signal(sign, signal.SIG_IGN)


def _run(  # noqa: PLR0913 - what is open by then
    settings: Settings,
    listener: socket.socket,
    announce: Callable[[Place], None],
    early: Early,
    *,
    host: str,
    data: Path,
    launcher: Launcher,
) -> None:
    # here, so that torch loads in its process meanwhile: a job that was at work goes on the sooner
    from api.app import create_app
    from api.server import serve as serve_app
    from core.store import Store, schema
    from worker.node import Node

    if early.asked:
        return
    schema.upgrade(settings.database_url)
    artifacts.mark(settings.artifacts)
    with closing(Store.open(settings.database_url, settings=settings)) as store:
        for job_id in store.recover():
            housekeeping.tidy(store, settings.artifacts, job_id)
        watch_bell, work_bell = LocalWatchBell(), LocalWorkBell()
        node = Node(store=store, watch_bell=watch_bell, settings=settings, work_bell=work_bell, launcher=launcher)
        app = create_app(store=store, watch_bell=watch_bell, work_bell=work_bell, settings=settings, node=node)
        with ExitStack() as ending:

            def ready(url: str) -> None:
                ending.enter_context(folder.announced(data, url=url))
                announce(Place(url=url, database=store.describe(), data=str(data), slots=node.worker.slots))
                if early.asked:
                    signal.raise_signal(signal.SIGTERM)  # which the server hears by now

            ending.callback(node.drain)
            node.start()
            serve_app(app, host, port=0, listener=listener, ready=ready)
