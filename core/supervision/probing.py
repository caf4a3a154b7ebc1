"""Trials of specs in a worker: one child for each, ended when nobody waits for it, a job does, or the worker leaves."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict
from typing import Any, Protocol

from core import artifacts
from core.errors import TrainwireError
from core.events import Failed, Probed
from core.job import ErrorInfo, Reason, Worker
from core.settings import Settings
from core.supervision.bench import Child, Launcher, Order
from core.supervision.runner import chosen
from core.usage import Probe

LOOK_S = 0.2
"""How often is looked whether the trial should go on: so long, and the end of a process, it may keep a job waiting."""
_GONE = ErrorInfo(Reason.INTERNAL_ERROR, "The trial's process ended without a word: it may have run out of memory.")


class ProbeStore(Protocol):
    """What trials need of the store."""

    def take_probe(self, worker: Worker) -> Probe | None:
        """Claim the oldest that the worker can do."""

    def keep_probe(self, probe_id: str, worker_id: str) -> bool:
        """Renew the claim; whether somebody still waits."""

    def return_probe(self, probe_id: str, worker_id: str) -> None:
        """Leave it to another worker."""

    def answer_probe(self, probe_id: str, worker_id: str, told: Mapping[str, Any]) -> None:
        """What came of it."""

    def has_work(self, worker: Worker) -> bool:
        """Whether a job waits that the worker can run."""


class Seat(Protocol):
    """The slot that is offered to a trial."""

    @property
    def devices(self) -> tuple[str, ...]:
        """The device of its slot."""

    def hold(self, take: Callable[[], Probe | None]) -> Probe | None:
        """What `take` gives, if a slot is free; one is its own then."""


class Prober:
    """Does the trials of a worker in slots that no job wants."""

    def __init__(self, *, store: ProbeStore, launcher: Launcher, settings: Settings) -> None:
        self._store = store
        self._launcher = launcher
        self._settings = settings
        self._leaving = threading.Event()

    def probe_one(self, worker: Worker, seat: Seat) -> bool:
        """Do one trial in a slot, on its device where the spec leaves the choice; whether there was one to do."""
        probe = seat.hold(lambda: self._taken(worker))
        if probe is None:
            return False
        self._see_to_its_end(probe, worker, device=seat.devices[0])
        return True

    def leave(self) -> None:
        """Begin no more, and end those that are at work: other workers do them."""
        self._leaving.set()

    def _taken(self, worker: Worker) -> Probe | None:
        """None while a job waits, also for slots that are taken: what is free is kept for it."""
        return None if self._leaving.is_set() or self._store.has_work(worker) else self._store.take_probe(worker)

    def _see_to_its_end(self, probe: Probe, worker: Worker, *, device: str) -> None:
        try:
            child = self._launcher.launch(self._order(probe, device=device))
        except TrainwireError:
            self._store.return_probe(probe.id, worker.id)
            raise
        try:
            with self._watched(probe, worker, child) as ended:
                told = _followed(child)
        finally:
            child.close()
        if ended.is_set():
            self._store.return_probe(probe.id, worker.id)
        else:
            self._store.answer_probe(probe.id, worker.id, told)

    def _order(self, probe: Probe, *, device: str) -> Order:
        root = self._settings.artifacts
        return Order(
            spec=probe.spec,
            folder=root,
            device=chosen(probe.device, device),
            cache=root / "cache",
            checkpoints=root,
            lease_s=self._settings.lease_s,
            heartbeat_s=self._settings.heartbeat_s,
            datasets=artifacts.folders(root, self._settings.files),
            probe=True,
        )

    @contextmanager
    def _watched(self, probe: Probe, worker: Worker, child: Child) -> Iterator[threading.Event]:
        """Look after the child in a thread meanwhile; the event is set if it was ended before it was done."""
        done, ended = threading.Event(), threading.Event()

        def live() -> None:
            while not done.wait(LOOK_S):
                child.ping()
                if not self._may_go_on(probe, worker):
                    ended.set()
                    child.kill()
                    return

        watch = threading.Thread(target=live, name=f"watch of {probe.id}", daemon=True)
        watch.start()
        try:
            yield ended
        finally:
            done.set()
            watch.join()

    def _may_go_on(self, probe: Probe, worker: Worker) -> bool:
        """A database that does not answer keeps nobody from waiting: its lease says how long."""
        if self._leaving.is_set():
            return False
        with suppress(TrainwireError):
            return self._store.keep_probe(probe.id, worker.id) and not self._store.has_work(worker)
        return True


def _followed(child: Child) -> Mapping[str, Any]:
    """What the child told at its end: the trial, or why there is none."""
    while (events := child.read()) is not None:
        for event in events:
            if isinstance(event, Probed):
                return {"trial": asdict(event.trial)}
            if isinstance(event, Failed):
                return {"error": asdict(event.error)}
    return {"error": asdict(_GONE)}
