"""`python -m tests.core.loop.larger SPEC DATASETS ROOM_MB BLOCK_BYTES`: trains with so much room, and no more.

The room is what a process may hold beside torch and polars, which are loaded before. Tells what that took, as JSON;
first a process of its own tries the same job with everything in memory.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import sys
from pathlib import Path

from core.events import EpochDone
from core.loading import order
from core.loop import prepare, train
from core.spec import parse_spec


def main(asked: Path, datasets: Path, room: int) -> None:
    fields = json.loads(asked.read_text())
    prepare()
    tried = os.fork()
    if not tried:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        confine(room)
        losses(fields | {"loader": fields["loader"] | {"streaming": False}}, datasets)
        os._exit(0)
    _, in_memory = os.waitpid(tried, 0)
    before = confine(room)
    told = {"losses": losses(fields, datasets), "in_memory": in_memory, "before": before, "limit": before + room}
    print(json.dumps(told | {"data": status("VmData"), "resident": status("VmHWM")}))


def confine(room: int) -> int:
    """Load what reads tables, and hold `room` more from here on; gives what is held now."""
    os.environ["POLARS_MAX_THREADS"] = "1"
    importlib.import_module("polars").LazyFrame({"x": [1.0]}).collect()
    before = status("VmData")
    resource.setrlimit(resource.RLIMIT_DATA, (before + room, before + room))
    return before


def losses(fields: object, datasets: Path) -> list[float]:
    events = train(parse_spec(fields), folder=datasets / "job", datasets=datasets)
    return [event.row.train_loss for event in events if isinstance(event, EpochDone)]


def status(name: str) -> int:
    """A figure of this process, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))


if __name__ == "__main__":
    order.BLOCK_BYTES = int(sys.argv[4])
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]) * 10**6)
