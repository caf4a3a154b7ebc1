"""How a child is started: forked from a forkserver that has torch loaded, and inherits nothing it should not.

The forkserver imports and never computes: thread pools do not survive a fork. Where forking a process with frameworks
loaded is unsafe (macOS) each child is spawned.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from multiprocessing import forkserver, resource_tracker
from types import ModuleType

from core.surroundings import scrubbed
from worker import child
from worker.process import STARTING, ChildProcess
from worker.taps import Prints, Tap

METHOD = "forkserver" if sys.platform == "linux" else "spawn"


class Nursery:
    """Starts children that train with the module named `trainer`."""

    def __init__(self, *, trainer: str, max_lines: int, method: str = METHOD) -> None:
        self._trainer = trainer
        self._max_lines = max_lines
        self._context = multiprocessing.get_context(method)
        self._forks = method == "forkserver"
        if self._forks:
            self._context.set_forkserver_preload(["worker.kindling", trainer, "worker.child", "worker.cradle"])

    def open(self) -> None:
        """Start the forkserver in this thread: the environment changes meanwhile, and others may read it."""
        if self._forks:
            with STARTING, _hidden_main():
                _serve()

    def start(self) -> ChildProcess:
        """A child that makes itself ready; waits for the forkserver (4 s the first time); raises OSError, EOFError."""
        pipe, its_pipe = self._context.Pipe()
        out, its_out = self._context.Pipe(duplex=False)
        err, its_err = self._context.Pipe(duplex=False)
        its_ends = (its_pipe, its_out, its_err)
        # not daemonic: a DataLoader in it must be able to have processes
        process = self._context.Process(target=child.main, args=its_ends, kwargs={"trainer": self._trainer})  # type: ignore[attr-defined]
        try:
            with STARTING, _hidden_main():
                self._start(process)
        finally:
            for end in its_ends:
                end.close()
        return ChildProcess(process, pipe, Prints([Tap(out, "stdout"), Tap(err, "stderr")], most=self._max_lines + 1))

    def _start(self, process: multiprocessing.process.BaseProcess) -> None:
        if not self._forks:
            with _scrubbed_environment():
                process.start()
            return
        _serve()
        process.start()


def _serve() -> None:
    if not _serves():
        with _scrubbed_environment():
            resource_tracker.ensure_running()  # before the signals are blocked: it unblocks them
            with _blocked_signals():
                forkserver.ensure_running()


def _serves() -> bool:
    """Whether the forkserver lives; of one that was killed `start` would make another, with our secrets around it."""
    pid = forkserver._forkserver._forkserver_pid  # type: ignore[attr-defined]
    if pid is None:
        return False
    with suppress(ChildProcessError):
        return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None
    return False


@contextmanager
def _hidden_main() -> Iterator[None]:
    """Keep `__main__` out of the child: multiprocessing would run it there again (celery's, or the server's: 0.7 s)."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


@contextmanager
def _blocked_signals() -> Iterator[None]:
    """Start what inherits this: a Ctrl-C or a kill of the whole group is the supervisor's to answer."""
    own = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, own)


@contextmanager
def _scrubbed_environment() -> Iterator[None]:
    """Keep the database's password out of the environment that a process starts with and hands on."""
    env = dict(os.environ)
    _set(scrubbed(env))
    try:
        yield
    finally:
        _set(env)


def _set(env: Mapping[str, str]) -> None:
    for name in set(os.environ) - set(env):
        del os.environ[name]
    os.environ.update(env)
