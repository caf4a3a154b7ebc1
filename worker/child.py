"""The process in which a job trains: forked in advance, it waits for its order, trains, tells, and ends."""

from __future__ import annotations

import gc
import importlib
import os
import pickle
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection
from typing import Protocol, cast

from core.errors import RunFailed
from core.events import Failed, RunEvent
from core.supervision.bench import Order
from core.surroundings import scrubbed
from worker import messages
from worker.lifeline import Lifeline

PROBE = "probe"
"""The order to try every device instead of training."""


class Trainer(Protocol):
    """The module that a child trains with: `worker.training`, or a test's own."""

    def prepare(self) -> tuple[str, ...]:
        """Make ready while nobody waits; gives the devices there may be."""

    def train(self, order: Order, stop: Callable[[], bool]) -> Iterator[RunEvent]:
        """Train the job of `order` until it is done or `stop` says so."""

    def failed(self, error: Exception, order: Order) -> Failed:
        """What to tell of an error that ended the training of `order`."""

    def usable(self, devices: Sequence[str]) -> tuple[str, ...]:
        """Those of `devices` on which a computation succeeds."""


def main(pipe: Connection, out: Connection, err: Connection, *, trainer: str) -> None:
    """Live one child's life, with the module named `trainer`.

    When the supervisor's end of `pipe` closes, this process ends and all that it started. SIGTERM asks a run to stop,
    as its supervisor would: whoever sends it means a shutdown.
    """
    _settle(out, err)
    training = cast(Trainer, importlib.import_module(trainer))
    devices = training.prepare()
    gc.freeze()  # what was imported is never garbage: a full collection would walk it in mid-epoch
    pipe.send_bytes(messages.dumps(devices))
    try:
        order = pickle.loads(pipe.recv_bytes())  # noqa: S301 - from the supervisor, which we trust
    except EOFError:
        os._exit(0)
    told = _probe(training, devices, pipe) if order == PROBE else _life(training, order, pipe)
    for message in told:
        sys.stdout.flush()
        sys.stderr.flush()
        pipe.send_bytes(messages.dumps(message))
    os._exit(0)  # past torch's own shutdown, which may wait for its threads


def _settle(out: Connection, err: Connection) -> None:
    """Lead an own process group, print into the pipes, hold no secret, leave Ctrl-C to the supervisor."""
    os.setpgid(0, 0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT, signal.SIGTERM})
    for name, end, number in (("stdout", out, 1), ("stderr", err, 2)):
        os.dup2(end.fileno(), number)
        end.close()
        setattr(sys, name, os.fdopen(number, "w", buffering=1, encoding="utf-8", errors="backslashreplace"))
    clean = scrubbed(os.environ)
    for secret in set(os.environ) - set(clean):
        del os.environ[secret]
    os.environ.update(clean)


def _probe(training: Trainer, devices: Sequence[str], pipe: Connection) -> Iterator[tuple[str, ...]]:
    Lifeline(pipe).start()
    yield training.usable(devices)


def _life(training: Trainer, order: Order, pipe: Connection) -> Iterator[RunEvent]:
    lifeline = Lifeline(pipe, lease_s=order.lease_s, heartbeat_s=order.heartbeat_s)
    signal.signal(signal.SIGTERM, lifeline.ask)
    lifeline.start()
    try:
        yield from training.train(order, lifeline.is_asked)
    except RunFailed as error:
        yield training.failed(error, order)
    except Exception as error:  # noqa: BLE001 - the edge of a run: its error becomes its ending
        traceback.print_exc()
        yield training.failed(error, order)
