"""A supervisor to be killed: one job at work, one spare child; it prints every process and waits."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

from core.events import Logged
from core.supervision.bench import Order
from tests.worker.place import acting, parent_of
from worker.launcher import Launcher


def main(folder: Path) -> None:
    launcher = Launcher(trainer="tests.worker.acting")
    launcher.start()
    spec = acting("hangs").model_dump(mode="json")
    child = launcher.launch(Order(spec, folder, "cpu", folder, folder))
    printed: list[str] = []
    while not printed:
        printed = [line for event in child.read() or () if isinstance(event, Logged) for line in event.lines]
    launcher.wait_warm()
    spare = launcher._spare
    assert spare is not None
    print(*printed[0].split()[1:], spare.pid, parent_of(spare.pid), flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
