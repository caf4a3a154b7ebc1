"""Two processes of one thread against one, on the CPU: how much faster an epoch is, and what the start costs."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from core.events import EpochDone, Failed, Finished
from core.spec import parse_spec
from core.supervision.bench import Order
from worker.launcher import Launcher

LINE = 1.2
"""Of 2; held where each process has a core to itself."""
ROUNDS = 3
BLOBS = {"name": "blobs", "samples": 8_192, "features": 64, "classes": 10}
RESNET = {"name": "resnet", "channels": [32, 64], "blocks": 1, "batch_norm": False}
SPECS: dict[str, dict[str, Any]] = {
    "narrow mlp": {"dataset": BLOBS, "model": {"name": "mlp", "hidden": [64]}},
    "wide mlp": {"dataset": BLOBS, "model": {"name": "mlp", "hidden": [1024, 1024]}},
    "resnet": {"dataset": "digits", "model": RESNET},
}
"""A step of a narrow model takes a fraction of a millisecond: there the other process only costs. A wide one has as
many gradients to add up as weights to compute with; a convolution uses each of its few weights many times."""


def main() -> None:
    launcher = Launcher()
    launcher.start()
    launcher.wait_warm()
    found = {name: times(launcher, fields) for name, fields in SPECS.items()}
    launcher.close()
    for name, (one, two) in found.items():
        told = f"{name}: 1 process {statistics.median(one.epochs):.2f} s an epoch, 2 processes "
        print(f"{told}{statistics.median(two.epochs):.2f} s: {gain(one, two):.2f} x as fast")
    one, two = found["resnet"]
    print(f"to the first epoch's end beyond its own time: 1 process {one.start:.2f} s, 2 processes {two.start:.2f} s")
    if os.getloadavg()[0] < (os.cpu_count() or 1) and gain(one, two) < LINE:
        raise SystemExit(f"Two processes are only {gain(one, two):.2f} x as fast as one; {LINE} is the line.")


class Times:
    """The seconds of epochs, and those before the first one."""

    def __init__(self) -> None:
        self.epochs: list[float] = []
        self.start = 0.0


def times(launcher: Launcher, fields: dict[str, Any]) -> tuple[Times, Times]:
    """Those of one process and of two, in turns, so that both share a busy machine."""
    one, two = Times(), Times()
    for _ in range(ROUNDS):
        for devices, into in ((1, one), (2, two)):
            began = time.perf_counter()
            for number, epoch_s in enumerate(epochs(launcher, fields, devices)):
                if number == 0:
                    into.start = time.perf_counter() - began - epoch_s
                else:
                    into.epochs.append(epoch_s)
    return one, two


def gain(one: Times, two: Times) -> float:
    """How many times as fast two are."""
    return statistics.median(one.epochs) / statistics.median(two.epochs)


def epochs(launcher: Launcher, fields: dict[str, Any], devices: int) -> Iterator[float]:
    """The seconds of each epoch of a job, as a worker runs it; the first one warms up."""
    spec = {
        **fields,
        "split": {"validation": 0},
        "batch_size": 256,
        "epochs": 3,
        "resources": {"devices": devices},
    }
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        several = ("cpu",) * devices if devices > 1 else ()
        order = Order(parse_spec(spec).model_dump(mode="json"), folder, "cpu", folder, folder / "kept", devices=several)
        child = launcher.launch(order)
        while (told := child.read()) is not None:
            yield from (event.row.epoch_s for event in told if isinstance(event, EpochDone))
            if any(isinstance(event, Finished | Failed) for event in told):
                break
        child.close()


if __name__ == "__main__":
    main()
