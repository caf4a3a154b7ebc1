"""The process that predicts: it loads torch, then answers one request after another until its service is gone."""

from __future__ import annotations

import gc
import os
import pickle
import sys
import threading
import traceback
from multiprocessing.connection import Connection

from core.loop.preparation import settle
from core.serving.answering import answer
from core.serving.asking import BROKEN, Bounds
from core.serving.warm import Warm


def main(number: int, bounds: Bounds) -> None:
    """Answer what comes through the descriptor `number`."""
    threading.Thread(target=_end_with_the_service, name="lifeline", daemon=True).start()
    settle()
    pipe, warm = Connection(number), Warm(models=bounds.models, memory_bytes=bounds.memory_bytes)
    gc.freeze()
    pipe.send_bytes(b"ready")
    while True:
        try:
            ask = pickle.loads(pipe.recv_bytes())  # noqa: S301 - from the service, which we trust
        except EOFError:
            os._exit(0)
        try:
            told = answer(ask, warm, bounds)
        except Exception:  # noqa: BLE001 - the edge of a request: the next one is answered all the same
            traceback.print_exc()
            told = BROKEN + b"The model could not answer; the log of the service has the reason."
        pipe.send_bytes(told)


def _end_with_the_service() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    first, *others = map(int, sys.argv[1:])
    main(first, Bounds(*others))
