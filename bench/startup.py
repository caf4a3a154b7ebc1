"""From `trainwire up` to the first 200 of /readyz, beside a bare import of torch."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

from bench.service import service

ROUNDS = 3
LINE_S = 5.0


def main() -> None:
    ready: list[float] = []
    for _ in range(ROUNDS):
        with service() as up:
            ready.append(up.ready_s)
    floor = import_torch_s()
    median = statistics.median(ready)
    print(f"ready after {median:.2f} s (median of {ROUNDS}; line {LINE_S} s)")
    print(f"import torch takes {floor:.2f} s: ready takes {median / floor:.2f} of it")


def import_torch_s(*more: str) -> float:
    """Seconds of a fresh `python -c "import torch"`, with `more` modules, the least of three."""
    return min(_timed([sys.executable, "-c", f"import {', '.join(('torch', *more))}"]) for _ in range(3))


def _timed(command: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, check=True)
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
