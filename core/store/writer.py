"""The one writer of a SQLite file: a thread that takes all changes waiting and commits them together."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from core.errors import Unavailable
from core.store.backend import Answer, Tx, passes
from core.store.clock import Clock


@dataclass(frozen=True, slots=True)
class _Waiting:
    change: Callable[[Tx], Any]
    promise: Future[Any]


@dataclass(frozen=True, slots=True)
class _Outcome:
    value: Any = None
    error: Exception | None = None
    point: str | None = None


class Writer:
    """Group commit: one transaction, and one fsync, for everybody who waits; a savepoint for each.

    One connection writes and checkpoints: SQLite before 3.51.3 may corrupt a WAL that two connections reset at once.
    """

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._waiting: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._closing = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    def write(self, change: Callable[[Tx], Answer]) -> Answer:
        """Run `change` and return when it is durable; what it raises comes back to the caller."""
        promise: Future[Answer] = Future()
        with self._closing:
            if self._closed:
                message = "The store is closed."
                raise Unavailable(message)
            self._waiting.put(_Waiting(change, promise))
        return promise.result()

    def close(self) -> None:
        """Commit what waits, then end the thread."""
        with self._closing:
            if not self._closed:
                self._closed = True
                self._waiting.put(None)
        self._thread.join()

    def _run(self) -> None:
        try:
            with self._engine.connect() as conn:
                while batch := self._take():
                    self._commit(conn, batch)
        except DBAPIError as error:  # the file cannot even be opened: say so to everyone who asks
            self._refuse_all(error)

    def _take(self) -> list[_Waiting]:
        """Everything that waits, after waiting for the first; nothing once the writer is closed."""
        batch = []
        first = self._waiting.get()
        while first is not None:
            batch.append(first)
            if self._waiting.empty():
                return batch
            first = self._waiting.get()
        if batch:
            self._waiting.put(None)  # for the next look: these come first
        return batch

    def _commit(self, conn: Connection, batch: list[_Waiting]) -> None:
        try:
            with conn.begin():
                outcomes = [self._attempt(conn, waiting.change) for waiting in batch]
                for outcome in outcomes:
                    passes(outcome.point, "before")
        except Exception as error:  # noqa: BLE001  every caller gets it
            outcomes = [_Outcome(error=error)] * len(batch)
        for waiting, outcome in zip(batch, outcomes, strict=True):
            passes(outcome.point, "after")
            _settle(waiting.promise, outcome)

    def _attempt(self, conn: Connection, change: Callable[[Tx], Any]) -> _Outcome:
        tx = Tx(conn, self._clock)
        try:
            with conn.begin_nested():
                return _Outcome(value=change(tx), point=tx.point)
        except Exception as error:
            if not _in_transaction(conn):  # a full disk ends the whole transaction, not only the savepoint
                raise
            return _Outcome(error=error)

    def _refuse_all(self, error: Exception) -> None:
        while (waiting := self._waiting.get()) is not None:
            _settle(waiting.promise, _Outcome(error=error))


def _settle(promise: Future[Any], outcome: _Outcome) -> None:
    if outcome.error is not None:
        promise.set_exception(outcome.error)
    else:
        promise.set_result(outcome.value)


def _in_transaction(conn: Connection) -> bool:
    driver = conn.connection.driver_connection
    return driver is not None and bool(driver.in_transaction)
