"""What children train with in the tests: the label `act` of a job says what happens in it; without one it trains."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch

from core.checkpoint import Checkpoint, CheckpointFile, Occasion
from core.errors import Diverged
from core.events import Checkpointed, EpochDone, Failed, Finished, RunEvent, Started, Stopped
from core.ids import new_id
from core.job import Artifact, EpochRow, Reason
from core.supervision.bench import Order
from worker import training


def prepare() -> tuple[str, ...]:
    training.prepare()
    return ("cpu",)


def usable(devices: Sequence[str]) -> tuple[str, ...]:
    return training.usable((*devices, "cuda:0"))


def failed(error: Exception, order: Order) -> Failed:
    return training.failed(error, order)


def train(order: Order, stop: Callable[[], bool]) -> Iterator[Any]:
    act = order.spec["labels"].get("act")
    heeding: dict[str | None, Callable[[Order, Callable[[], bool]], Iterator[Any]]] = {
        None: training.train,
        "steps": steps,
    }
    return heeding[act](order, stop) if act in heeding else ACTS[act](order)


def epochs(order: Order) -> Iterator[RunEvent]:
    yield Started(order.device, 1, 1, order.spec["epochs"], 1, 0, 1, {})
    for number in range(1, order.spec["epochs"] + 1):
        yield EpochDone(row(number), best=True)
    (order.folder / "model.json").write_text("{}")
    yield Finished(Reason.COMPLETED, (Artifact("model.json", "model.json", "application/json", 2, "0"),))


def steps(order: Order, stop: Callable[[], bool]) -> Iterator[RunEvent]:
    """Goes on, an epoch at each step, until it is asked to stop or has done all its epochs."""
    begin = max((kept.epoch for kept in order.candidates), default=0)
    yield Started(order.device, 1, 1, order.spec["epochs"], 1, 0, 1, {})
    print("pids", os.getpid())
    for number in range(begin + 1, order.spec["epochs"] + 1):
        yield EpochDone(row(number), best=True)
        time.sleep(0.01)
        if stop():
            yield Checkpointed(checkpoint(order.checkpoints, number, Occasion.STOP))
            yield Stopped()
            return
    yield Finished(Reason.COMPLETED, ())


def keeps(order: Order) -> Iterator[RunEvent]:
    """A checkpoint at each epoch, and at the end one that was only begun."""
    yield Started(order.device, 1, 1, order.spec["epochs"], 1, 0, 1, {})
    for number in range(1, order.spec["epochs"] + 1):
        yield Checkpointed(checkpoint(order.checkpoints, number, Occasion.TIME))
    (order.checkpoints / ".000009-00000000.x").mkdir()
    yield Finished(Reason.COMPLETED, ())


def checkpoint(folder: Path, epoch: int, occasion: Occasion) -> Checkpoint:
    made = folder / f"{epoch:06d}-{0:08d}"
    made.mkdir(parents=True)
    (made / "state.pt").write_text("state")
    return Checkpoint(new_id("ckpt"), made.name, epoch, 0, occasion, (CheckpointFile("state.pt", 5, "0"),))


def row(number: int) -> EpochRow:
    return EpochRow(number, 1 / number, None, {}, 0.1, 0.01, 100.0, 0.0)


def dies(order: Order) -> Iterator[RunEvent]:
    yield EpochDone(row(1), best=True)
    os.kill(os.getpid(), getattr(signal, order.spec["labels"]["by"]))
    threading.Event().wait()


def leaves(_: Order) -> Iterator[RunEvent]:
    yield EpochDone(row(1), best=True)
    sys.exit(3)


def raises(_: Order) -> Iterator[RunEvent]:
    yield EpochDone(row(1), best=True)
    raise RuntimeError("the wheels came off")


def diverges(_: Order) -> Iterator[RunEvent]:
    yield EpochDone(row(1), best=False)
    raise Diverged("The cost became NaN in epoch 1.", hint="Lower lr.", param="/lr")


def prints(order: Order) -> Iterator[RunEvent]:
    print("a line")
    print("another", file=sys.stderr)
    sys.stdout.buffer.write(b"\x00\xff\xfe garbage \x1b[31m\r\n" + b"x" * 10_000 + b"\n")
    sys.stdout.flush()
    os.write(1, b"without an end")
    yield from epochs(order)


def floods(order: Order) -> Iterator[RunEvent]:
    for number in range(order.spec["epochs"]):
        print(number)
    yield from epochs(order)


def confesses(order: Order) -> Iterator[RunEvent]:
    held = [name for name in ("torch", "fastapi", "celery", "sqlalchemy", "typer", "pytest") if name in sys.modules]
    print("modules", *held)
    print("secrets", *(name for name in os.environ if name.startswith("TRAINWIRE_")))
    with open("/proc/self/environ", "rb") as file:  # noqa: PTH123
        print("inherited", *(name for name in file.read().decode().split("\0") if name.startswith("TRAINWIRE_")))
    print("cuda", torch.cuda.is_initialized())  # type: ignore[no-untyped-call]
    print("threads", os.environ["OMP_NUM_THREADS"], os.environ["MKL_NUM_THREADS"])
    print("group", os.getpgid(0) == os.getpid())
    yield from epochs(order)


def waits(order: Order) -> Iterator[RunEvent]:
    """Goes on when the test leaves word beside the run's folder."""
    yield EpochDone(row(1), best=True)
    while not (order.folder.parent / "go").exists():
        time.sleep(0.01)
    yield from epochs(order)


def hangs(_: Order) -> Iterator[RunEvent]:
    """Runs until it is killed, with a process of its own as a DataLoader has them."""
    helper = os.fork()
    if helper == 0:
        threading.Event().wait()
    print("pids", os.getpid(), helper)
    yield EpochDone(row(1), best=True)
    threading.Event().wait()


def smuggles(_: Order) -> Iterator[Any]:
    yield Bomb()
    threading.Event().wait()


class Bomb:
    def __reduce__(self) -> tuple[Any, ...]:
        return (os.abort, ())


ACTS = {
    "epochs": epochs,
    "keeps": keeps,
    "dies": dies,
    "leaves": leaves,
    "raises": raises,
    "diverges": diverges,
    "prints": prints,
    "floods": floods,
    "confesses": confesses,
    "hangs": hangs,
    "waits": waits,
    "smuggles": smuggles,
}
