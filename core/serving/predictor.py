"""The process that predicts, as the API holds it: started at the first request, killed when late, begun again."""

from __future__ import annotations

import asyncio
import os
import pickle
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection

from core.errors import Unavailable
from core.serving.asking import Ask, Bounds, answered
from core.surroundings import scrubbed

START_S = 60.0
"""How long the process may take to load torch."""
WAITING = 64
"""Requests that wait for those before them; one more is told to come again."""


class Predictor:
    """Answers one request after another, in the order in which they came; it starts nothing before the first.

    The process has a group of its own and no secret of the service; it ends when this one does, however that was.
    """

    def __init__(self, bounds: Bounds, *, seconds: float) -> None:
        self._bounds = bounds
        self._seconds = seconds
        self._line = ThreadPoolExecutor(1, "trainwire-predict")
        self._waiting = 0
        self._changing = threading.Lock()
        self._closed = False
        self._process: subprocess.Popen[bytes] | None = None
        self._pipe: Connection | None = None

    @property
    def pid(self) -> int | None:
        """The process that answers, if there is one now."""
        return None if self._process is None else self._process.pid

    async def answer(self, ask: Ask) -> str:
        """The predictions as JSON; the event loop goes on meanwhile.

        Raises RowsRefused, NotFound where the weights are gone, Unavailable for what takes too long or has no room.
        """
        if self._closed:
            raise Unavailable("The service stops; ask again in a moment.")
        if self._waiting >= WAITING:
            raise Unavailable(f"{WAITING} requests already wait for predictions; ask again in a moment.")
        self._waiting += 1
        try:
            return answered(await asyncio.wrap_future(self._line.submit(self._exchange, ask)))
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """End the process, and with it what is being answered; may be repeated."""
        with self._changing:
            self._closed = True
            self._kill()
        self._line.shutdown(cancel_futures=True)
        self._end()

    def _exchange(self, ask: Ask) -> bytes:
        try:
            pipe = self._ready()
            pipe.send_bytes(pickle.dumps(ask))
            if pipe.poll(self._seconds):
                return pipe.recv_bytes()
        except (EOFError, OSError) as error:
            self._end()
            raise Unavailable("The process that predicts has ended; the next request begins another one.") from error
        self._end()
        raise Unavailable(
            f"The prediction took longer than {self._seconds:g} s and was given up.",
            hint="Send fewer rows at a time, or raise TRAINWIRE_PREDICT_SECONDS.",
        )

    def _ready(self) -> Connection:
        """The way to a process that has loaded torch."""
        if self._process is not None and self._process.poll() is not None:
            self._end()
        if self._pipe is None:
            self._pipe = self._start()
            if not self._pipe.poll(START_S):
                raise OSError("it does not start")
            self._pipe.recv_bytes()
        return self._pipe

    def _start(self) -> Connection:
        mine, its = Pipe()
        bounds = (self._bounds.rows, self._bounds.pixels, self._bounds.models, self._bounds.memory_bytes)
        command = [sys.executable, "-m", "core.serving", *map(str, (its.fileno(), *bounds))]
        with self._changing, its:
            if self._closed:
                raise OSError("the service ends")
            self._process = subprocess.Popen(
                command,
                env=scrubbed(os.environ),
                # the process ends when this pipe closes, and nobody ever writes to it
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                pass_fds=(its.fileno(),),
                process_group=0,
            )
        return mine

    def _kill(self) -> None:
        if self._process is not None and self._process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def _end(self) -> None:
        """Let go of the process, dead or not."""
        with self._changing:
            self._kill()
            if self._process is not None:
                self._process.wait()
                if self._process.stdin is not None:
                    self._process.stdin.close()
            if self._pipe is not None:
                self._pipe.close()
            self._process = self._pipe = None
