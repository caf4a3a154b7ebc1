"""A job of several devices: a process for each, which torch's agent starts in the child that the supervisor knows.

The child trains nothing itself. It hands on what the leading process tells, and ends as the first of them that dies.
"""

from __future__ import annotations

import faulthandler
import logging
import os
import signal
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from typing import Any

import torch

from core.events import Failed, RunEvent, Stopped
from core.job import Reason
from core.loop.cadence import never
from core.loop.failures import explain
from core.spec import JobSpec
from core.supervision.bench import Order
from core.supervision.endings import LAST_WORDS
from worker import memory, messages, single
from worker.agents import Meeting, launch
from worker.lifeline import Lifeline

_LOOK_S = 0.1
"""How often the child looks whether to stop."""
_CAUSE_WITHIN_S = 5.0
"""How long who lost a peer leaves it to others to tell why."""
_SEEN_WITHIN_S = 2.0
_LOST = ("gloo", "nccl", "connection closed by peer", "connection reset by peer")


def train(order: Order, stop: Callable[[], bool]) -> Iterator[RunEvent]:
    """Train the job of `order` in a process for each of its devices, and hand on what the leading one tells."""
    import torch._dynamo  # noqa: F401  (what torch's DDP loads: once, before the processes are forked)

    if order.spec["resources"].get("sharding") == "fsdp":
        import core.loop.sharding  # noqa: F401
    crew = Crew(Meeting.of(order), order)
    crew.start()
    yield from crew.follow(stop)


@dataclass
class Crew:
    """The processes of a run on this machine, each with a pipe, and the agent that starts them."""

    meeting: Meeting
    order: Order | None = None
    """What the worker was told; its members hear it from the leader."""
    ours: list[Connection] = field(default_factory=list)
    theirs: list[Connection] = field(default_factory=list)
    pids: dict[int, int] = field(default_factory=dict)
    lost: BaseException | None = None
    """What ended the agent before its processes told anything."""

    def start(self) -> None:
        """Begin to start them, in the background."""
        for _ in range(self.meeting.devices):
            one, other = Pipe()
            self.ours.append(one)
            self.theirs.append(other)
        threading.Thread(target=self._start, name="agent", daemon=True).start()

    def follow(self, stop: Callable[[], bool]) -> Iterator[RunEvent]:
        """What the leading process tells, until a last word of any of them."""
        asked = False
        while True:
            if stop() and not asked:
                asked = True
                with suppress(OSError):
                    self.ours[0].send_bytes(messages.STOP)
            if self.lost is not None and len(self.pids) < len(self.ours):
                raise self.lost
            for pipe in wait(self.ours, _LOOK_S):
                for event in self._heard(self.ours.index(pipe)):  # type: ignore[arg-type]
                    yield event
                    if isinstance(event, LAST_WORDS):
                        return

    def _start(self) -> None:
        try:
            launch(self.meeting, live, self._arguments())
        except BaseException as error:  # noqa: BLE001 - a thread's edge: whoever follows sees what became of it
            self.lost = error

    def _arguments(self) -> tuple[Any, ...]:
        # what is forked holds our ends too, and must let them go: else nobody sees that the other is gone
        return self.order, self.theirs, self.ours if self.meeting.forks else ()

    def _heard(self, rank: int) -> Iterator[RunEvent]:
        try:
            word = messages.loads(self.ours[rank].recv_bytes(messages.MAX_BYTES))
        except (EOFError, OSError):
            self._end_as(rank)
        if isinstance(word, tuple):
            self.pids[rank] = int(word[0])
            self.theirs[rank].close()
        else:
            yield word

    def _end_as(self, rank: int) -> None:
        """End this process as that one ended: its supervisor then knows what to make of it."""
        code = _exit_code(self.pids[rank])
        sys.stdout.flush()
        sys.stderr.flush()
        if code < 0:
            faulthandler.disable()
            os.kill(os.getpid(), -code)
        os._exit(code or 1)


def live(order: Order | None, pipes: Sequence[Connection], others: Sequence[Connection]) -> None:
    """One process's life: train with the others, and tell what the child needs to know."""
    logging.disable(logging.NOTSET)
    place = int(os.environ["LOCAL_RANK"])
    pipe = pipes[place]
    for end in (*others, *pipes):
        if end is not pipe:
            end.close()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # the child hears it, and says what to do
    lifeline = Lifeline(pipe)
    lifeline.start()
    if place or order is None:
        _fall_silent()
    pipe.send_bytes(messages.dumps((str(os.getpid()),)))
    leads = order is not None and not place
    told = order if order is not None and order.nodes == 1 else _ordered(order, leads=leads)
    for event in _told(told, place, lifeline.is_asked if leads else never, leads=leads):
        pipe.send_bytes(messages.dumps(event))
    if order is None:
        pipe.send_bytes(messages.dumps(Stopped()))  # nobody else tells a member that the job has ended


def _ordered(order: Order | None, *, leads: bool) -> Order:
    """The leader's order, in every process on every node."""
    from core.loop.together import Together

    peers = Together(torch.device("cpu"), leads=leads, meeting="order")
    told = peers.told(order)
    peers.leave()
    if told is None or peers.size != told.nodes * len(told.devices):
        raise SystemExit("The members at this rendezvous do not have the devices that the job asks for.")
    return told


def _told(order: Order, place: int, stop: Callable[[], bool], *, leads: bool) -> Iterator[RunEvent]:
    """What the child needs to know: of the leader everything, of another one its failure."""
    from core.loop.together import Together

    spec = JobSpec.model_validate(order.spec)
    device = torch.device(order.devices[place])
    if device.type == "cuda":
        torch.cuda.set_device(device)
    if spec.resources.memory_gb is not None:
        memory.limit(spec.resources.memory_gb / len(order.devices))
    try:
        peers = Together(device, sharding=spec.resources.sharding, leads=leads)
        for event in single.trained(order, spec, stop, device=str(device), peers=peers):
            if peers.leads:
                yield event
    except Exception as error:  # noqa: BLE001 - the edge of a run: its error becomes its ending
        yield _failed(error, order)


def _failed(error: Exception, order: Order) -> Failed:
    failed = explain(error, spec=order.spec)
    if failed.reason is Reason.INTERNAL_ERROR:
        if any(words in str(error).lower() for words in _LOST):
            time.sleep(_CAUSE_WITHIN_S)
            os._exit(1)  # nobody told why: the run begins again
        traceback.print_exception(error)
    return failed


def _fall_silent() -> None:
    """Print nothing but errors: the leader prints for all."""
    warnings.simplefilter("ignore")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def _exit_code(pid: int) -> int:
    """How a process of ours ended, left for the agent to reap; that of SIGKILL when it already was."""
    with suppress(ChildProcessError):
        ends = time.monotonic() + _SEEN_WITHIN_S
        while time.monotonic() < ends:
            seen = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT | os.WNOHANG)
            if seen is not None:
                return seen.si_status if seen.si_code == os.CLD_EXITED else -seen.si_status
            time.sleep(_LOOK_S / 10)
    return -signal.SIGKILL
