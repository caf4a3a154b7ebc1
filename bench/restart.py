"""From a service's start to its killed job at work again, beside the import of what torch needs for a step."""

from __future__ import annotations

import statistics
import tempfile
import time

import httpx

from bench.service import Service, service_in, wait_until
from bench.startup import import_torch_s

ROUNDS = 5
LINE_S = 3.0
JOB = {"dataset": "digits", "model": "mlp", "epochs": 100_000, "checkpoints": {"every_s": 1}}


def main() -> None:
    ready: list[float] = []
    again: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        with service_in(folder) as up:
            job_id = httpx.post(f"{up.url}/v1/jobs", json=JOB).raise_for_status().json()["id"]
            _wait_attempt(up, job_id, 1)
            up.kill()
        for number in range(ROUNDS):
            with service_in(folder) as up:
                _wait_attempt(up, job_id, number + 2)
                again.append(time.perf_counter() - up.began)
                ready.append(up.ready_s)
                up.kill()
    floor = import_torch_s()
    median, most = statistics.median(again), max(again)
    behind = max(whole - until for whole, until in zip(again, ready, strict=True))
    print(f"at work again {median:.2f} s after the command (most {most:.2f} s of {ROUNDS}; line {LINE_S} s)")
    print(f"at most {behind:.2f} s after /readyz answered")
    print(f"import torch takes {floor:.2f} s: the restart takes {median / floor:.2f} of it")


def _wait_attempt(up: Service, job_id: str, attempt: int) -> None:
    """Return once the job runs for the `attempt`-th time."""
    with httpx.Client(base_url=up.url) as http:

        def runs() -> bool:
            job = http.get(f"/v1/jobs/{job_id}").json()
            return bool(job["status"] == "running" and job["attempt"] >= attempt and job["progress"])

        wait_until(runs)


if __name__ == "__main__":
    main()
