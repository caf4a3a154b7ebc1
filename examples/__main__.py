"""Every example, whole, against a service of its own: its figure beside the expected one.

python -m examples           # all of them: some minutes
python -m examples 01 wine   # those whose names hold one of these words
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import TrainwireError
from trainwire import Client
from trainwire.child_service import service_on

FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Expected:
    """What an example reaches: of a spec the `figure` of its job, of a program the number that it says last."""

    reached: float
    within: float
    figure: str | None = None

    def is_met_by(self, number: float) -> bool:
        """Whether `number` is as far from what is expected as another machine may bring about, or nearer."""
        return abs(number - self.reached) <= self.within


def expectations() -> dict[str, Expected]:
    """What is expected of each example, by the name of its file, in reading order."""
    stored = json.loads((FOLDER / "expected.json").read_text(encoding="utf-8"))
    return {name: Expected(**fields) for name, fields in stored.items()}


def figure_of(job: Mapping[str, Any], path: str) -> float:
    """The number of a job as the API shows it: `best.val_accuracy` is job["best"]["val_accuracy"]."""
    found: Any = job
    for name in path.split("."):
        found = found[name]
    return float(found)


def of_spec(path: Path, figure: str, client: Client) -> float:
    """The figure that a job of this spec ends with; raises `RuntimeError` where it fails."""
    job = client.wait(client.submit(json.loads(path.read_text(encoding="utf-8"))).id)
    if job.error:
        raise RuntimeError(job.error.message)
    return figure_of(job.model_dump(mode="json"), figure)


def of_program(path: Path, url: str, *arguments: str) -> float:
    """The number that the program says last; raises `RuntimeError` where it fails."""
    told = subprocess.run(
        [sys.executable, path, *arguments],
        env={**os.environ, "TRAINWIRE_URL": url},
        capture_output=True,
        text=True,
        check=False,
    )
    if told.returncode or not told.stdout.strip():
        raise RuntimeError(told.stderr.strip())
    return float(told.stdout.split()[-1])


def is_met(name: str, expected: Expected, client: Client) -> bool:
    """Run one example and say how it went, in one line."""
    path, began = FOLDER / name, time.monotonic()
    try:
        number = of_spec(path, expected.figure, client) if expected.figure else of_program(path, client.url)
    except (RuntimeError, TrainwireError) as error:
        print(f"{name:34} failed: {error}", flush=True)
        return False
    met, seconds = expected.is_met_by(number), time.monotonic() - began
    wanted = f"{expected.reached:8.4f} ± {expected.within:<7.3g}"
    print(f"{name:34} {number:8.4f}  {wanted} {seconds:7.1f}  {'' if met else 'missed'}".rstrip(), flush=True)
    return met


def main(words: list[str]) -> int:
    """0 where every example that was run came to what is expected of it."""
    chosen = {
        name: expected for name, expected in expectations().items() if not words or any(word in name for word in words)
    }
    print(f"{'example':34} {'reached':>8}  {'expected':>8}           {'seconds':>7}")
    with tempfile.TemporaryDirectory() as data, service_on(Path(data)) as service, Client(service.url) as client:
        met = [is_met(name, expected, client) for name, expected in chosen.items()]
    print(f"{sum(met)} of {len(met)} as expected")
    return 0 if met and all(met) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
