"""The node's place in a Celery worker: it starts before the first message is taken and drains at the first signal."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from celery import bootsteps
from celery.concurrency.thread import TaskPool
from celery.signals import worker_shutting_down

from core.configuration import configured
from core.errors import StartRefused, TrainwireError
from core.redis_bell import RedisWatchBell
from core.store import Store
from core.store.schema import is_current
from worker.node import Node

log = logging.getLogger(__name__)
_LEFT_WITHIN_S = 5.0
"""After the grace of its runs."""


@dataclass(frozen=True)
class Crew:
    """What a Celery worker opens beside its pool."""

    store: Store
    bell: RedisWatchBell
    node: Node

    def drain(self) -> None:
        """Give the work back and let the database and Redis go."""
        self.node.drain()
        self.bell.close()
        self.store.close()


_on_duty: list[Crew] = []


def node() -> Node:
    """The node of this process; raises StartRefused in one that has none."""
    if not _on_duty:
        raise StartRefused("This process has no slots: start the Celery worker with -P threads.")
    return _on_duty[0].node


class Station(bootsteps.StartStopStep):
    """Starts between the pool and the consumer, and stops between them."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, parent: Any, **options: Any) -> None:
        self._crew: Crew | None = None
        self._drain: threading.Thread | None = None
        with _ending_the_worker():
            _check(parent)  # before the pool starts, which would hold up the end
        super().__init__(parent, **options)

    def start(self, parent: Any) -> None:
        """Open the store and start the node."""
        with _ending_the_worker():
            crew = _open(parent)
        self._crew = crew
        _on_duty.append(crew)
        # in a thread: the signal's handler may have interrupted anything, with any lock held
        self._drain = threading.Thread(target=crew.drain, name="drain", daemon=True)
        worker_shutting_down.connect(self._hear, weak=False)

    def stop(self, parent: Any) -> None:  # noqa: ARG002 - Celery's signature
        """Drain; the pool stops behind this, when no task holds it up any more."""
        self._begin_drain()
        if self._drain:
            self._drain.join(configured().grace_s + _LEFT_WITHIN_S)

    terminate = stop

    def _hear(self, how: str = "", **_: Any) -> None:
        """A first signal drains; Celery's cold shutdown, or any signal more, takes no more time for it."""
        again = not _on_duty
        self._begin_drain()
        if self._crew and (again or how == "Cold"):
            threading.Thread(target=self._crew.node.hurry, name="hurry", daemon=True).start()

    def _begin_drain(self) -> None:
        if _on_duty and self._drain:
            _on_duty.clear()
            self._drain.start()


@contextmanager
def _ending_the_worker() -> Iterator[None]:
    """A refusal ends the worker with its sentence instead of a traceback."""
    try:
        yield
    except TrainwireError as refused:
        log.critical("%s", refused.message)
        raise SystemExit(1) from None


def _check(worker: Any) -> None:
    if not issubclass(worker.pool_cls, TaskPool):
        raise StartRefused("Trainwire trains in processes of its own: start the Celery worker with -P threads.")
    if not configured().broker_url:
        raise StartRefused("Set TRAINWIRE_BROKER_URL to the API's Redis, for example redis://localhost:6379/0.")
    if not is_current(configured().database_url):
        raise StartRefused("The database is not migrated to this version: run `trainwire migrate` first.")


def _open(worker: Any) -> Crew:
    given = configured()
    own = {
        "worker_name": given.worker_name or worker.hostname,
        "queues": tuple(worker.app.amqp.queues.consume_from),
        "slots": worker.concurrency,
    }
    settings = given.model_copy(update=own)
    store = Store.open(settings.database_url, settings=settings)
    bell = RedisWatchBell(str(settings.broker_url))
    crew = Crew(store, bell, Node(store=store, watch_bell=bell, settings=settings))
    crew.node.start()
    return crew
