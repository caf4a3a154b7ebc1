"""One child as its supervisor holds it: what it tells, what it prints, and its end."""

from __future__ import annotations

import os
import pickle
import select
import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from threading import Lock

from core.events import RunEvent
from core.supervision.endings import LAST_WORDS, Exit
from worker import memory, messages
from worker.taps import ENOUGH, Prints

STARTING = Lock()
"""Held while a process is started or reaped: `start` polls every other child, and two polls at once of one that has
just ended make its exit code 255."""
_GATHER_S = 0.2
_MAX_EVENTS = 256
_GONE_WITHIN_S = 2.0
_UNSEEN = 255
"""What multiprocessing takes for the exit code when the forkserver that should tell it was killed."""


class ChildProcess:
    """A started child: one thread reads and closes it, any thread may kill it."""

    def __init__(self, process: BaseProcess, pipe: Connection, prints: Prints) -> None:
        self._process = process
        self._pipe = pipe
        self._prints = prints
        self._pid = process.pid or 0
        self._pidfd = _opened(self._pid)
        # multiprocessing's sentinel is a pipe from the forkserver, whose death would end every child's
        self._sentinel = process.sentinel if self._pidfd is None else self._pidfd
        self._starved_before = 0
        self._telling = True
        self._over = False
        self._killing = Lock()
        self._reaped = False

    @property
    def pid(self) -> int:
        """Its process id, which is also its process group's."""
        return self._pid

    def ready(self, timeout: float) -> tuple[str, ...] | None:
        """Its first message, the devices it may use; None when it ended or took too long."""
        with suppress(EOFError, OSError):
            if self._pipe.poll(timeout):
                devices: tuple[str, ...] = messages.loads(self._pipe.recv_bytes(messages.MAX_BYTES))
                return devices
        return None

    def alive(self) -> bool:
        """Whether it has not ended."""
        return not wait([self._sentinel], 0)

    def order(self, order: object) -> None:
        """Tell it what to do; raises OSError when it is gone."""
        self._starved_before = memory.kills()
        self._pipe.send_bytes(pickle.dumps(order))

    def ask_stop(self) -> None:
        """Ask it to keep a checkpoint and end; from any thread, also when it is gone; never waits."""
        self._say(messages.STOP)

    def ping(self) -> None:
        """Tell it that its supervisor lives; from any thread, also when it is gone; never waits."""
        self._say(messages.PING)

    def read(self) -> Sequence[RunEvent] | None:
        """Wait, then everything it has told since; None once it is gone and all was read.

        Printed lines alone wait up to 0.2 s for company, so that one transaction stores many.
        """
        if self._over:
            return None
        deadline: float | None = None
        while True:
            self._over = self._wait(deadline)
            # first what it told, then what it printed: so what was printed before the last word is not left behind
            told = self._told()
            self._prints.gather(last=self._over or any(isinstance(word, LAST_WORDS) for word in told))
            waiting = self._prints.count
            deadline = deadline or (time.monotonic() + _GATHER_S if waiting else None)
            if told or self._over or waiting >= ENOUGH or (deadline and time.monotonic() >= deadline):
                return [*self._prints.take(), *told]

    def kill(self) -> None:
        """End it and the processes it started, at once; from any thread, also when it is gone."""
        with self._killing:
            if self._reaped or not self._pid:
                return
            for end in (os.killpg, os.kill):  # it may not lead its group yet
                with suppress(ProcessLookupError, PermissionError):
                    end(self._pid, signal.SIGKILL)
                    return

    def close(self) -> Exit:
        """Kill it, wait until it is gone and let its pipes go; says how it ended."""
        self.kill()
        gone = bool(wait([self._sentinel], _GONE_WITHIN_S))
        with self._killing:
            self._reaped = True
        self._pipe.close()
        self._prints.close()
        # if not gone it hangs in the kernel, and cannot come back from there to do harm
        code = self._exit_code() if gone else None
        if self._pidfd is not None:
            os.close(self._pidfd)
        return Exit(code, starved=code == -signal.SIGKILL and memory.kills() > self._starved_before)

    def _exit_code(self) -> int | None:
        with STARTING:
            self._process.join(_GONE_WITHIN_S)
            code = self._process.exitcode
            if code is not None:
                self._process.close()
        return None if code == _UNSEEN else code

    def _say(self, word: bytes) -> None:
        with self._killing:
            if self._reaped:
                return
            with suppress(OSError):
                # a full pipe is one of a process that does not listen; what is small is sent whole or not at all
                ready = select.poll()
                ready.register(self._pipe, select.POLLOUT)
                if ready.poll(0):
                    self._pipe.send_bytes(word)

    def _wait(self, deadline: float | None) -> bool:
        """Wait for anything to read until `deadline`; True when the child is gone."""
        sources: list[Connection | int] = [
            self._sentinel,
            *([self._pipe] if self._telling else []),
            *self._prints.sources,
        ]
        timeout = None if deadline is None else max(0.0, deadline - time.monotonic())
        gone = self._sentinel in wait(sources, timeout)
        if gone:
            self.kill()  # what it started may live on and hold the pipes open
        return gone

    def _told(self) -> list[RunEvent]:
        told: list[RunEvent] = []
        try:
            while self._telling and len(told) < _MAX_EVENTS and self._pipe.poll(0):
                told.append(messages.loads(self._pipe.recv_bytes(messages.MAX_BYTES)))
        except (EOFError, OSError):
            self._telling = False
            if not wait([self._sentinel], _GONE_WITHIN_S):
                self.kill()  # it can tell nothing any more, so it must not go on
        return told


def _opened(pid: int) -> int | None:
    """A descriptor that becomes readable when the process ends (Linux); None where there is none such."""
    with suppress(AttributeError, OSError):
        return os.pidfd_open(pid)
    return None
