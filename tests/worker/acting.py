"""What children train with in the tests: the label `act` of a job says what happens in it; without one it trains."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

import torch

from core.errors import Diverged
from core.events import EpochDone, Failed, Finished, RunEvent, Started
from core.job import Artifact, EpochRow, Reason
from core.runner import Order
from worker import training


def prepare() -> tuple[str, ...]:
    training.prepare()
    return ("cpu",)


def usable(devices: Sequence[str]) -> tuple[str, ...]:
    return training.usable((*devices, "cuda:0"))


def failed(error: Exception) -> Failed:
    return training.failed(error)


def train(order: Order) -> Iterator[Any]:
    act = order.spec["labels"].get("act")
    return training.train(order) if act is None else ACTS[act](order)


def epochs(order: Order) -> Iterator[RunEvent]:
    yield Started(order.device, 1, 1, order.spec["epochs"], 1, 0, 1, {})
    for number in range(1, order.spec["epochs"] + 1):
        yield EpochDone(row(number), best=True)
    (order.folder / "model.json").write_text("{}")
    yield Finished(Reason.COMPLETED, (Artifact("model.json", "model.json", "application/json", 2, "0"),))


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
