"""A process's share of the work: its slots, its entry among the workers, and the threads that keep both honest."""

from __future__ import annotations

import logging
import platform
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from core import artifacts
from core.bell import LocalWorkBell, WatchBell
from core.errors import TrainwireError
from core.ids import new_id
from core.job import Worker
from core.settings import Settings
from core.store import Store
from core.supervision.bench import Bench
from core.supervision.probing import Prober
from core.supervision.runner import work_one
from core.supervision.runs import Runs
from worker.devices import default_slots, slot_devices, visible_gpus
from worker.impatience import heard_by
from worker.launcher import Launcher
from worker.rounds import Guard
from worker.seats import Seat
from worker.slots import Slots, SlotView, view
from worker.vigil import Vigil

log = logging.getLogger(__name__)
_MARKER_WITHIN_S = 10.0
_PROBE_WITHIN_S = 60.0
_DRAINED_WITHIN_S = 1.5
_WARM_WITHIN_S = 5.0


class Node:
    """Runs jobs in its slots: `start` it, let bells call `look` or ring `work_bell`, `drain` it at the end."""

    def __init__(
        self,
        *,
        store: Store,
        watch_bell: WatchBell,
        settings: Settings,
        work_bell: LocalWorkBell | None = None,
        launcher: Launcher | None = None,
    ) -> None:
        self._store = store
        self._watch_bell = watch_bell
        self._settings = settings
        self._work_bell = work_bell or LocalWorkBell()
        self._launcher = launcher or Launcher(max_lines=settings.max_log_lines)
        self._runs = Runs()
        self._bench = Bench(store, self._launcher, watch_bell, settings, self._runs)
        self._devices = (*(f"cuda:{gpu}" for gpu in range(visible_gpus())), "cpu")
        self._slots = Slots(settings.slots or default_slots(len(self._devices) - 1))
        self._prober = Prober(store=store, launcher=self._launcher, settings=settings)
        self._worker = Worker(
            id=new_id("worker"),
            name=settings.worker_name or platform.node(),
            devices=self._devices,
            slots=self._slots.count,
            queues=settings.queues,
            nodes=settings.nodes if settings.rendezvous else 1,
        )
        self._known = threading.Event()
        self._draining = threading.Event()
        self._guard = Guard("A slot")
        self._vigil = Vigil(
            store=store, settings=settings, runs=self._runs, worker=lambda: self._worker, changed=self._ring
        )

    @property
    def worker(self) -> Worker:
        """Its entry among the workers."""
        return self._worker

    @property
    def slots(self) -> list[SlotView]:
        """Each slot's device and whether it is warming, warm or busy."""
        devices = slot_devices(self._devices, slots=self._slots.count)
        warm = self._known.is_set() and self._launcher.warm
        return view(devices, busy={slot for run in self._runs.all() for slot in run.slots}, warm=warm)

    def devices(self, timeout: float) -> tuple[str, ...]:
        """The devices a spec may name here; waits at most `timeout` seconds until torch was asked."""
        self._known.wait(timeout)
        return self._worker.devices

    def start(self) -> None:
        """Begin to warm up, to be seen and to work; returns at once. Raises StartRefused without the shared folder."""
        artifacts.see_marker(self._settings.artifacts, within_s=_MARKER_WITHIN_S)
        self._launcher.start()
        Guard("The entry among the workers").call(lambda: self._store.enrol(self._worker))
        self._vigil.start()
        threading.Thread(target=self._learn, name="devices", daemon=True).start()
        for slot in range(self._slots.count):
            threading.Thread(target=self._serve, name=f"slot {slot}", daemon=True).start()

    def look(self) -> None:
        """Work in this thread while a slot is free and there is a job for it; never waits for a slot.

        A call that finds all slots taken is not lost: whoever gives one back looks again.
        """
        self._guard.call(self._work)

    def drain(self) -> None:
        """Claim no more, let the runs keep a checkpoint, give the claims back without penalty, leave.

        Who is not done after `grace_s`, or at a further signal, is killed, and its job goes back too.
        """
        with heard_by(self.hurry):
            self._draining.set()
            self._slots.close()
            self._prober.leave()
            self._work_bell.wake_all()
            self._runs.close()
            if not self._slots.wait_idle(self._settings.grace_s):
                self._runs.leave()
                if not self._slots.wait_idle(_DRAINED_WITHIN_S):
                    log.warning("Some runs did not end in time; their leases will run out.")
            self._vigil.stop()
            self._launcher.close()
            with suppress(TrainwireError):
                self._store.retire(self._worker.id)

    def hurry(self) -> None:
        """Let a drain take no more time: end every run now."""
        self._runs.leave()

    def _serve(self) -> None:
        """A slot's own thread: looks at each ring, and without one every `poll_s`."""
        self._known.wait()
        while not self._draining.is_set():
            seen = self._work_bell.count
            self._guard.call(self._work)
            self._work_bell.wait(seen, timeout=self._settings.poll_s)

    def _work(self) -> None:
        while self._slots.any_free() and self._works():
            pass

    def _works(self) -> bool:
        """Whether there was a job, or else a trial, and it was seen to its end."""
        if not self._known.is_set() or not self._launcher.wait_warm(_WARM_WITHIN_S):
            return False
        seat = Seat(self._slots, slot_devices(self._devices, slots=self._slots.count))
        try:
            return work_one(self._bench, self._worker, seat) or self._prober.probe_one(self._worker, seat)
        finally:
            if seat.leave() > 1:
                self._work_bell.wake_all()

    def _learn(self) -> None:
        """Ask a child what torch can use here, then begin to claim."""
        if not self._launcher.wait_warm():
            return
        found = self._launcher.devices
        if found != ("cpu",):
            found = self._launcher.probe(_PROBE_WITHIN_S) or ("cpu",)
        self._devices = found
        self._worker = replace(self._worker, devices=found)
        self._known.set()
        self._work_bell.wake_all()
        Guard("The entry among the workers").call(lambda: self._store.enrol(self._worker))

    def _ring(self, changed: Sequence[str]) -> None:
        for job_id in changed:
            self._watch_bell.ring(job_id)
        if changed:
            self._work_bell.wake_all()
