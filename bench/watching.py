"""Many jobs watched: how late a live epoch is at eight streams of all jobs, and the curves of 100 jobs to compare."""

from __future__ import annotations

import json
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx

from api.app import create_app
from api.server import Server
from bench.service import service
from core.bell import LocalWatchBell, LocalWorkBell
from core.events import EpochDone
from core.job import EpochRow, Worker
from core.settings import Settings
from core.spec import parse_spec
from core.store import Store, schema

STREAMS = 8
LINE_MS = 700.0
SPEC = {"dataset": {"name": "moons", "samples": 20_000}, "model": "mlp", "epochs": 15}
JOBS, EPOCHS, POINTS = 100, 1_000, 200


def main() -> None:
    with service() as up:
        late = list(live(up.url))
    p50, most = statistics.median(late), max(late)
    print(f"an epoch is told by {STREAMS} streams of all jobs {p50:.0f} ms after it was stored, at most {most:.0f} ms")
    print(f"(line {LINE_MS:.0f} ms on the screen; {len(late)} messages)")
    compare()


def live(url: str) -> Iterator[float]:
    """Milliseconds from an epoch's entry in its job's log to the message about it, at each stream."""
    found: list[list[tuple[int, datetime]]] = [[] for _ in range(STREAMS)]
    threads = [threading.Thread(target=watch, args=(url, told), daemon=True) for told in found]
    for thread in threads:
        thread.start()
    with httpx.Client(base_url=url, timeout=60.0) as http:
        time.sleep(1)
        job = http.post("/v1/jobs", json=SPEC).raise_for_status().json()["id"]
        for thread in threads:
            thread.join(120)
        rows = http.get(f"/v1/jobs/{job}/events").json()["data"]
    stored = {row["data"]["epoch"]: datetime.fromisoformat(row["at"]) for row in rows if row["type"] == "epoch"}
    for told in found:
        yield from (1000 * (at - stored[epoch]).total_seconds() for epoch, at in dict(reversed(told)).items())


def watch(url: str, told: list[tuple[int, datetime]]) -> None:
    """Note when each epoch was first told, until the job has ended."""
    headers = {"Accept": "text/event-stream"}
    with httpx.stream("GET", f"{url}/v1/events", headers=headers, timeout=60.0) as answer:
        for line in answer.iter_lines():
            if not line.startswith('data: {"type":"job"'):
                continue
            job = json.loads(line.removeprefix("data: "))["data"]
            if job["latest"]:
                told.append((job["latest"]["epoch"], datetime.now(UTC)))
            if job["finished_at"]:
                return


def compare() -> None:
    """The losses of many jobs in one request, and in one for each."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(database_url=f"sqlite:///{folder}/trainwire.db", artifacts=Path(folder))
        schema.upgrade(settings.database_url)
        store = Store.open(settings.database_url, settings=settings)
        ids = filled(store)
        app = create_app(store=store, watch_bell=LocalWatchBell(), work_bell=LocalWorkBell(), settings=settings)
        with Server(app, "127.0.0.1", 0) as server, httpx.Client(base_url=server.url, timeout=60.0) as http:
            began = time.perf_counter()
            http.get("/v1/metrics", params={"jobs": ",".join(ids), "max_points": POINTS}).raise_for_status()
            together = time.perf_counter() - began
            began = time.perf_counter()
            for job_id in ids:
                http.get(f"/v1/jobs/{job_id}/metrics", params={"max_points": POINTS}).raise_for_status()
            apart = time.perf_counter() - began
        store.close()
    print(f"{JOBS} jobs x {EPOCHS} epochs: {together:.2f} s in one request, {apart:.2f} s in {JOBS} for whole rows")


def filled(store: Store) -> list[str]:
    """The ids of jobs with so many epochs."""
    rows = [
        EpochRow(number, 1 / number, 1.1 / number, {"val_accuracy": 0.9}, 0.1, 0.5, 1000.0, 0.01)
        for number in range(1, EPOCHS + 1)
    ]
    worker = Worker("worker_bench", "bench", ("cpu",), JOBS, ("cpu",))
    spec = parse_spec({"dataset": "digits", "model": "mlp"})
    ids = []
    for _ in range(JOBS):
        store.add(spec)
        claim = store.claim(worker)
        assert claim is not None
        store.record(claim, [EpochDone(row, best=False) for row in rows])
        ids.append(claim.job_id)
    return ids


if __name__ == "__main__":
    main()
