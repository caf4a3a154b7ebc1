"""Runs of several processes, which meet as torch.distributed.run would have them; what the leader told comes back."""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import torch

from core.checkpoint import Checkpoint, Stage
from core.loop import Saving, train
from core.loop.cadence import never
from core.loop.together import Together
from core.spec import parse_spec
from tests.core.loop.interrupting import After, Attempt

WITHIN_S = 120


@dataclass(frozen=True)
class Several:
    """Trains jobs in several processes, in folders of their own."""

    root: Path
    cache: Path

    def attempt(
        self,
        fields: dict[str, Any],
        *candidates: Checkpoint,
        size: int = 2,
        stop_after: int | None = None,
        kill_at: int | None = None,
        lineage: Sequence[Stage] = (),
        datasets: Path | None = None,
        device: str = "cpu",
    ) -> Attempt:
        """Train to the end, until the leader is asked to stop for the `stop_after`-th time, or until one is killed.

        The last process is, the `kill_at`-th time that it looks whether to stop; the others then fail.
        """
        told = Attempt(Path(tempfile.mkdtemp(dir=self.root)))
        work = Work(fields, told.folder, self.cache, candidates, tuple(lineage), datasets, stop_after, kill_at, device)
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["core.loop", "core.loop.together", "torch._dynamo"])
        ours, theirs = context.Pipe(duplex=False)
        places = [(rank, size, free_port()) for rank in range(size)]
        processes = [context.Process(target=live, args=(place[:2], places[0][2], theirs, work)) for place in places]
        for process in processes:
            process.start()
        theirs.close()
        try:
            read(ours, told, fails=kill_at is not None)
        finally:
            for process in processes:
                process.kill()
                process.join()
        return told


@dataclass(frozen=True)
class Work:
    """What each process is told."""

    fields: dict[str, Any]
    folder: Path
    cache: Path
    candidates: tuple[Checkpoint, ...]
    lineage: tuple[Stage, ...]
    datasets: Path | None
    stop_after: int | None
    kill_at: int | None
    device: str = "cpu"


def read(pipe: Connection, told: Attempt, *, fails: bool) -> None:
    while pipe.poll(WITHIN_S):
        try:
            event = pipe.recv()
        except EOFError:
            return
        if isinstance(event, Exception):
            if fails:
                return
            raise event
        told.events.append(event)
    raise TimeoutError("the run stands still")


def live(place: tuple[int, int], port: int, pipe: Connection, work: Work) -> None:
    rank, size = place
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port), RANK=str(rank), WORLD_SIZE=str(size))
    spec = parse_spec(work.fields)
    device = torch.device(f"cuda:{rank}" if work.device == "cuda" else work.device)
    if device.type == "cuda":
        torch.cuda.set_device(device)
    peers = Together(device, sharding=spec.resources.sharding)
    stop: Callable[[], bool] = never if work.stop_after is None else After(work.stop_after)
    if work.kill_at is not None and rank == size - 1:
        stop = Death(work.kill_at)
    saving = Saving(work.folder / "checkpoints", work.candidates, work.lineage)
    try:
        for event in train(
            spec,
            folder=work.folder,
            device=str(device),
            cache=work.cache,
            datasets=work.datasets,
            save=saving,
            stop=stop,
            peers=peers,
        ):
            if peers.leads:
                pipe.send(event)
    except Exception as error:
        if peers.leads:
            pipe.send(error)
        raise
    os._exit(0)


@dataclass
class Death:
    """Asked at each step whether to stop, it kills its process at the `steps`-th time."""

    steps: int

    def __call__(self) -> bool:
        self.steps -= 1
        if self.steps == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return False


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port
