"""What a child hears from its supervisor behind its order, and the end of it when it hears nothing."""

from __future__ import annotations

import os
import signal
import threading
from multiprocessing.connection import Connection

from worker import messages


class Lifeline:
    """Listens in a thread of its own; when the supervisor is gone or silent, this process and its own all end.

    Silent is who was not heard for `lease_s` and then for another `heartbeat_s`: a supervisor that stood still has lost
    the job, and its trainer must not go on beside the next one. A closed pipe is its death.
    """

    def __init__(self, pipe: Connection, *, lease_s: float | None = None, heartbeat_s: float = 0.0) -> None:
        self._pipe = pipe
        self._lease_s = lease_s
        self._heartbeat_s = heartbeat_s
        self._asked = False

    def start(self) -> None:
        """Begin to listen."""
        threading.Thread(target=self._listen, name="lifeline", daemon=True).start()

    def ask(self, *_: object) -> None:
        """Ask the training to stop; also a signal's handler, so it takes no lock."""
        self._asked = True

    def is_asked(self) -> bool:
        """Whether the training shall stop."""
        return self._asked

    def _listen(self) -> None:
        try:
            while self._pipe.poll(self._lease_s) or self._pipe.poll(self._heartbeat_s):
                if self._pipe.recv_bytes() == messages.STOP:
                    self.ask()
        except (EOFError, OSError):
            pass  # the supervisor is dead
        os.killpg(0, signal.SIGKILL)
