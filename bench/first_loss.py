"""From POST to the first epoch's loss at a client of the stream: digits, warm embedded service."""

from __future__ import annotations

import statistics
import time

import httpx

from bench.service import service, wait_warm
from bench.startup import import_torch_s

ROUNDS = 40
WARM_UP = 5
LINE_MS = (100.0, 300.0)
SPEC = {"dataset": "digits", "model": "mlp", "optimizer": "sgd", "lr": 0.1, "epochs": 2}


def main() -> None:
    with service() as up, httpx.Client(base_url=up.url, timeout=30.0) as http:
        wait_warm(up.url)
        times = [first_loss_s(http) for _ in range(WARM_UP + ROUNDS)][WARM_UP:]
    floor = 1000 * import_torch_s()
    p50, p95 = 1000 * statistics.median(times), 1000 * statistics.quantiles(times, n=20)[-1]
    lines = " and ".join(f"{line:.0f}" for line in LINE_MS)
    print(f"first loss p50 {p50:.0f} ms, p95 {p95:.0f} ms over {ROUNDS} jobs (lines {lines} ms)")
    print(f'a fresh `python -c "import torch"` takes {floor:.0f} ms: the median first loss is {p50 / floor:.3f} of it')


def first_loss_s(http: httpx.Client) -> float:
    """Seconds from sending the spec to reading the first epoch event; the job then runs to its end."""
    began = time.perf_counter()
    job = http.post("/v1/jobs", json=SPEC).raise_for_status().json()
    first = 0.0
    with http.stream("GET", f"/v1/jobs/{job['id']}/events", headers={"Accept": "text/event-stream"}) as stream:
        for line in stream.iter_lines():
            if line == "event: epoch" and not first:
                first = time.perf_counter() - began
    if not first:
        raise RuntimeError(f"{job['id']} ended without an epoch")
    return first


if __name__ == "__main__":
    main()
