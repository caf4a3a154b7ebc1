"""What a node does over and over while its slots work: it says that it lives, and looks whether the runs should."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from core import artifacts, housekeeping
from core.job import Worker
from core.settings import Settings
from core.store import Store
from core.supervision.limits import stop_what_ended, stop_what_is_over
from core.supervision.runs import Runs
from worker.calm import Calm
from worker.rounds import Round, elapsed_s


class Vigil:
    """The rounds of a node, each in a thread of its own, so that a database that hangs holds up no ping.

    `worker` gives the node's entry of the moment; `changed` is told of jobs that it took back or deleted.
    """

    def __init__(
        self,
        *,
        store: Store,
        settings: Settings,
        runs: Runs,
        worker: Callable[[], Worker],
        changed: Callable[[Sequence[str]], None],
    ) -> None:
        self._store = store
        self._settings = settings
        self._runs = runs
        self._worker = worker
        self._changed = changed
        self._calm = Calm(settings.lease_s)
        self._housekeeper = housekeeping.Housekeeper(store, settings.artifacts)
        self._beaten = elapsed_s()
        self._limited = time.monotonic()
        self._rounds = (
            Round("The pings", self._ping, every_s=settings.heartbeat_s),
            Round("The heartbeat", self._beat, every_s=settings.heartbeat_s),
            Round("The sweep", self._sweep, every_s=settings.sweep_s),
            Round("The watch for cancels", self._watch, every_s=settings.watch_s),
            Round("The limits", self._limit, every_s=settings.watch_s),
            Round("The housekeeping", self._keep_house, every_s=settings.housekeeping_s),
        )

    def start(self) -> None:
        """Begin every round."""
        self._beaten = elapsed_s()
        for each in self._rounds:
            each.start()

    def stop(self) -> None:
        """Begin nothing more."""
        for each in self._rounds:
            each.stop()

    def _ping(self) -> None:
        for run in self._runs.all():
            run.ping()

    def _beat(self) -> None:
        self._calm.call(lambda: self._store.beat(self._worker(), self._runs.held()), within_s=self._settings.late_s)
        self._beaten = elapsed_s()

    def _sweep(self) -> None:
        if self._calm.away or elapsed_s() - self._beaten > self._settings.heartbeat_s:
            self._beat()  # this process stood still: its own leases must not be the first found to have run out
        if not self._calm.may_judge():
            return
        changed: list[str] = []
        has_space = artifacts.has_space(self._settings.artifacts)
        self._calm.call(lambda: changed.extend(self._store.sweep(has_space=has_space)))
        self._changed(changed)
        for job_id in changed:
            housekeeping.tidy(self._store, self._settings.artifacts, job_id)

    def _watch(self) -> None:
        runs = self._runs.all()
        if runs:
            stop_what_ended(runs, self._store.held(self._worker().id))

    def _limit(self) -> None:
        now = time.monotonic()
        gap_s = now - self._limited
        # a longer gap is time in which this process stood still, and could have heard nothing
        waited_s = min(gap_s, self._settings.watch_s + self._settings.heartbeat_s)
        self._limited = now
        runs = self._runs.all()
        for run in runs:
            run.skip(gap_s - waited_s)
        stop_what_is_over(runs, waited_s=waited_s, grace_s=self._settings.grace_s)

    def _keep_house(self) -> None:
        self._changed(self._housekeeper.clean())
