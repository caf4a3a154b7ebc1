"""Keeps one child ready: forked, set up and waiting for its order, so that a job need not wait for a process."""

from __future__ import annotations

import atexit
import logging
import threading
from contextlib import suppress
from weakref import WeakSet

from core.errors import Unavailable
from core.events import Logged
from core.supervision.bench import Order
from worker import child
from worker.nursery import METHOD, Nursery
from worker.process import ChildProcess

log = logging.getLogger(__name__)
_READY_WITHIN_S = 120.0
_RETRY_S = 1.0
_CLOSED_WITHIN_S = 0.3


class Launcher:
    """Hands its spare child to who has an order, and makes the next one in the background."""

    def __init__(self, *, trainer: str = "worker.training", max_lines: int = 10_000, method: str = METHOD) -> None:
        self._nursery = Nursery(trainer=trainer, max_lines=max_lines, method=method)
        self._changed = threading.Condition()
        self._spare: ChildProcess | None = None
        self._launched: WeakSet[ChildProcess] = WeakSet()
        self._devices: tuple[str, ...] = ()
        self._closed = False
        self._keeper = threading.Thread(target=self._keep_spare, name="spare child", daemon=True)

    def start(self) -> None:
        """Begin to warm up, in the background (about 4 s); repeatable."""
        if self._keeper.ident is not None:
            return
        atexit.register(self.close)  # else multiprocessing waits at exit for a child that lives
        with suppress(OSError):  # the keeper tries again, and tells
            self._nursery.open()
        self._keeper.start()

    @property
    def warm(self) -> bool:
        """Whether a child stands ready."""
        return self._spare is not None

    @property
    def devices(self) -> tuple[str, ...]:
        """The devices that the last child named."""
        return self._devices

    def wait_warm(self, timeout: float | None = None) -> bool:
        """Wait until a child stands ready or the launcher is closed; whether one does."""
        with self._changed:
            self._changed.wait_for(lambda: self._spare or self._closed, timeout)
            return self._spare is not None

    def launch(self, order: Order) -> ChildProcess:
        """A child that takes up `order`; raises Unavailable when none can be had."""
        return self._given(order)

    def probe(self, timeout: float) -> tuple[str, ...] | None:
        """The devices on which a computation succeeds, tried by a child of its own; None when it did not say."""
        tester = self._given(child.PROBE)
        try:
            return tester.ready(timeout)
        finally:
            tester.close()

    def close(self) -> None:
        """Launch no more, and end every child; who reads one sees its end."""
        atexit.unregister(self.close)
        with self._changed:
            self._closed = True
            spare, self._spare = self._spare, None
            launched = list(self._launched)
            self._changed.notify_all()
        for child_left in launched:
            child_left.kill()
        if spare:
            spare.close()
        if self._keeper.ident is not None:
            self._keeper.join(_CLOSED_WITHIN_S)  # it may be making a child, or waiting for the forkserver

    def _given(self, order: object) -> ChildProcess:
        while True:
            taken = self._taken()
            try:
                taken.order(order)
            except OSError:
                taken.close()  # it died while it waited
            else:
                return taken

    def _taken(self) -> ChildProcess:
        with self._changed:
            self._changed.wait_for(lambda: self._spare or self._closed, _READY_WITHIN_S)
            spare, self._spare = self._spare, None
            self._changed.notify_all()
            if spare:
                self._launched.add(spare)
        if spare is None:
            raise Unavailable("No training process could be started.")
        return spare

    def _keep_spare(self) -> None:
        failing = False
        while self._is_wanted():
            spare = self._made(quiet=failing)
            failing = spare is None
            if spare is None:
                self._rest()
            else:
                self._offer(spare)

    def _rest(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._closed, _RETRY_S)

    def _is_wanted(self) -> bool:
        """Wait until there is no spare child; False when the launcher is closed."""
        with self._changed:
            self._changed.wait_for(lambda: not self._spare or self._closed)
            return not self._closed

    def _offer(self, spare: ChildProcess) -> None:
        with self._changed:
            if not self._closed:
                self._spare = spare
                self._changed.notify_all()
                return
        spare.close()

    def _made(self, *, quiet: bool) -> ChildProcess | None:
        level = logging.DEBUG if quiet or self._closed else logging.ERROR
        try:
            return self._ready(self._nursery.start())
        except Exception as error:  # noqa: BLE001 - a thread's edge: without it no job would ever start again
            log.log(level, "No training process comes up: %s", error)
            return None

    def _ready(self, made: ChildProcess) -> ChildProcess:
        devices = made.ready(_READY_WITHIN_S)
        if devices is not None:
            self._devices = devices
            return made
        made.kill()
        said = [line for event in made.read() or () if isinstance(event, Logged) for line in event.lines]
        code = made.close()
        raise Unavailable("\n".join(said) or f"It ended with code {code}.")
