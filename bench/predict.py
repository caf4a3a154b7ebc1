"""A prediction for one row over HTTP, warm: beside GET /healthz of the same service, and the bare forward pass."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import httpx

from bench.service import service, wait_until

ROUNDS = 400
WARM_UP = 20
LINE_MS = 10.0
SPEC = {"dataset": "digits", "model": {"name": "mlp", "hidden": [128]}, "epochs": 2}
ROW = {"rows": [[float(number % 17) for number in range(64)]]}


def main() -> None:
    with service() as up, httpx.Client(base_url=up.url, timeout=60.0) as http, tempfile.TemporaryDirectory() as folder:
        job = trained(http)
        path = f"/v1/jobs/{job}/predict"
        began = time.perf_counter()
        http.post(path, json=ROW).raise_for_status()
        first_s = time.perf_counter() - began
        warm = times(lambda: http.post(path, json=ROW).raise_for_status())
        floor = times(lambda: http.get("/healthz").raise_for_status())
        for name in ("model.json", "model.safetensors"):
            (Path(folder) / name).write_bytes(http.get(f"/v1/jobs/{job}/artifacts/{name}").content)
        bare = times(forward(Path(folder)))
    p50, p95 = statistics.median(warm), statistics.quantiles(warm, n=20)[-1]
    print(f"predict p50 {p50:.2f} ms, p95 {p95:.2f} ms over {ROUNDS} requests (line p50 {LINE_MS:.0f} ms)")
    print(f"GET /healthz p50 {statistics.median(floor):.2f} ms, the forward pass {statistics.median(bare):.3f} ms:")
    print(f"a prediction takes {p50 / statistics.median(floor):.2f} times as long as the smallest answer there is")
    print(f"the very first prediction, which loads torch, took {first_s:.2f} s")


def trained(http: httpx.Client) -> str:
    """The id of a job that has succeeded."""
    job = str(http.post("/v1/jobs", json=SPEC).raise_for_status().json()["id"])
    wait_until(lambda: http.get(f"/v1/jobs/{job}").json()["status"] == "succeeded")
    return job


def times(act: Callable[[], object]) -> list[float]:
    """Milliseconds of each round behind the first ones."""
    found = []
    for _ in range(WARM_UP + ROUNDS):
        began = time.perf_counter()
        act()
        found.append(1000 * (time.perf_counter() - began))
    return found[WARM_UP:]


def forward(folder: Path) -> Callable[[], object]:
    """The row prepared and predicted in this process."""
    import numpy as np
    import torch

    from core.loop import load_model, load_preprocess

    model, prepare = load_model(folder), load_preprocess(folder)
    rows = np.array(ROW["rows"], np.float32)

    def act() -> object:
        with torch.inference_mode():
            return model(prepare(rows)).softmax(1)

    return act


if __name__ == "__main__":
    main()
