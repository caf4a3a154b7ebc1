"""Storing what a run tells, from a thread of its own: the run is read on while the database is away."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from core.errors import ClaimLost, Unavailable
from core.events import RunEvent
from core.job import HELD, Status
from core.supervision.runs import Run, Stop
from core.supervision.spool import Spool

log = logging.getLogger(__name__)
_RETRY_S = 0.3
Answer = TypeVar("Answer")


class GivenUp(Exception):
    """The database stayed away for longer than this run may wait."""


class Outage:
    """How long the database has been away from one run.

    After `limit_s` the run is asked to stop, and `grace_s` later nobody waits any more.
    """

    def __init__(self, run: Run, *, limit_s: float, grace_s: float) -> None:
        self._run = run
        self._limit_s = limit_s
        self._grace_s = grace_s
        self._since: float | None = None

    def outlast(self, call: Callable[[], Answer]) -> Answer:
        """The answer of `call`, once the database is there; raises GivenUp when it stays away."""
        while True:
            try:
                answer = call()
            except Unavailable as away:
                self._wait(away)
            else:
                if self._since is not None:
                    log.warning("%s goes on: the database is back", self._run.claim.job_id)
                self._since = None
                return answer

    def _wait(self, away: Unavailable) -> None:
        now = time.monotonic()
        if self._since is None:
            log.warning("%s waits for the database: %s", self._run.claim.job_id, away)
            self._since = now
        lasted_s = now - self._since
        if lasted_s > self._limit_s:
            self._run.stop(Stop.CUT_OFF)
        if self._run.leaving.wait(_RETRY_S) or lasted_s > self._limit_s + self._grace_s:
            raise GivenUp from away


class Delivery:
    """Records the events of a run in order, many at a time; leaving it waits until all are stored or cannot be.

    `record` stores, `recorded` is told of it behind.
    """

    def __init__(
        self,
        run: Run,
        outage: Outage,
        *,
        folder: Path,
        record: Callable[[Sequence[RunEvent]], Status],
        recorded: Callable[[Sequence[RunEvent], Status], None],
    ) -> None:
        self._run = run
        self._outage = outage
        self._record = record
        self._recorded = recorded
        self._spool = Spool(folder)
        self._over = False
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._live, name=f"delivery of {run.claim.job_id}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._spool.close()
        self._thread.join()

    def put(self, events: Sequence[RunEvent]) -> None:
        """Have these stored behind all others."""
        self._spool.put(events)

    def is_over(self) -> bool:
        """Whether the run needs nothing more, once all was stored; raises what kept it from that."""
        if self._error is not None:
            raise self._error
        return self._over

    def _live(self) -> None:
        try:
            self._deliver()
        except Exception as error:  # noqa: BLE001 - a thread's edge: the run's own thread raises it again
            self._error = error
            self._run.stop(_why(error))
        finally:
            self._spool.discard()

    def _deliver(self) -> None:
        while not self._over and (events := self._spool.take()) is not None:
            status = self._outage.outlast(lambda told=events: self._record(told))  # type: ignore[misc]
            self._over = status not in HELD
            self._recorded(events, status)


def _why(error: Exception) -> Stop:
    if isinstance(error, ClaimLost):
        return Stop.LOST
    return Stop.CUT_OFF if isinstance(error, GivenUp) else Stop.BROKEN
