"""What people look at: the first paint of the list of jobs, and how late an epoch is in it and on a job's page."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import tempfile
import threading
import time
from collections.abc import Mapping
from datetime import datetime

import httpx

from bench.browsing import Tab, tab
from bench.service import service, wait_warm

PAINT_LINE_MS, POINT_LINE_MS = 1000.0, 700.0
ROUNDS = 5
BROWSERS = 3
VISITS = 3
"""A browser keeps what it compiled of a script that it ran twice."""
SPEC = {"dataset": {"name": "moons", "samples": 20_000}, "model": "mlp", "epochs": 25}
PAINTED = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
CURVES = 4
"""The losses, a metric and lr."""
NOTE = f"""
window.drawn = {{}};
window.whole = null;
setInterval(() => {{
  const chart = document.getElementById("chart");
  const last = (chart?.dataset.points ?? 0) / {CURVES};
  if (last) drawn[last] ??= Date.now();
  if (chart?.data) whole ??= Date.now();
}}, 10);
"""
"""When each epoch was first the last one on the chart, and when that was the library's."""
NOTE_ROW = """
window.drawn = {};
setInterval(() => {
  const { epoch } = document.querySelector("tr[data-epoch]")?.dataset ?? {};
  if (epoch) drawn[epoch] ??= Date.now();
}, 10);
"""
"""When each epoch was first that of the one job in the list."""


def main() -> None:
    path = shutil.which("chromium")
    if path is None:
        print("left out: it needs Chromium (apt-get install chromium)")
        return
    with service() as up:
        wait_warm(up.url)
        print(f"the machine's load is {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
        paint(path, up.url)
        with tempfile.TemporaryDirectory() as profile, tab(path, profile) as page:
            row(page, up.url)
        for browser in range(BROWSERS):
            with tempfile.TemporaryDirectory() as profile:
                for visit in range(VISITS):
                    with tab(path, profile) as page:
                        points(page, up.url, title=f"fresh browser {browser + 1}, visit {visit + 1}")
    print(f"(line {POINT_LINE_MS:.0f} ms)")


def paint(chromium: str, url: str) -> None:
    """The first contentful paint of `/` in a fresh browser, beside the bare answer."""
    painted, floor = [], []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        httpx.get(url).raise_for_status()
        floor.append(1000 * (time.perf_counter() - began))
        with tempfile.TemporaryDirectory() as profile, tab(chromium, profile) as page:
            page.goto(url)
            page.wait_for(PAINTED, within_s=30)
            painted.append(page.value(PAINTED))
    told = f"p50 {statistics.median(painted):.0f} ms, at most {max(painted):.0f} ms"
    print(f"first paint of / {told} (line {PAINT_LINE_MS:.0f} ms); the answer alone {statistics.median(floor):.0f} ms")


def row(page: Tab, url: str) -> None:
    """From an epoch's entry in the job's log to its row in the list of jobs, which is there before the job is."""
    page.before_each_page(NOTE_ROW)
    page.goto(url)
    page.wait_for("document.querySelector('#jobs:not(:empty)')", within_s=30)
    job = httpx.post(f"{url}/v1/jobs", json=SPEC).raise_for_status().json()["id"]
    page.wait_for(f"drawn[{SPEC['epochs']}]", within_s=120)
    late = lateness(stored(url, job), drawn(page)).values()
    p50, most = statistics.median(late), max(late)
    print(f"an epoch is in the list of jobs p50 {p50:.0f} ms after it was stored, at most {most:.0f} ms")


def points(page: Tab, url: str, *, title: str) -> None:
    """From an epoch's entry in the job's log to the chart, of all that ended since the page had painted anything."""
    job, told = watched(page, url)
    opened = page.value(f"performance.timeOrigin + {PAINTED}")
    ended, seen = stored(url, job), drawn(page)
    late = lateness({epoch: at for epoch, at in ended.items() if at >= opened}, seen).values()
    plain = lateness(ended, told).values()
    print(
        f"{title}: curves {min(seen.values()) - opened:.0f} ms after the first paint, by the library "
        f"{page.value('whole') - opened:.0f} ms; an epoch is on them p50 {statistics.median(late):.0f} ms after it was "
        f"stored, at most {max(late):.0f} ms; a plain stream tells it by {statistics.median(plain):.0f} ms"
    )


def watched(page: Tab, url: str) -> tuple[str, dict[int, float]]:
    """A job whose page opens as it is queued, and when each of its epochs was told by its stream."""
    page.before_each_page(NOTE)
    job = httpx.post(f"{url}/v1/jobs", json=SPEC).raise_for_status().json()["id"]
    told: dict[int, float] = {}
    reader = threading.Thread(target=listen, args=(url, job, told), daemon=True)
    reader.start()
    page.goto(f"{url}/jobs/{job}")
    page.wait_for(f"window.drawn && drawn[{SPEC['epochs']}]", within_s=120)
    reader.join(60)
    return job, told


def listen(url: str, job: str, told: dict[int, float]) -> None:
    """Note when the job's stream told each epoch."""
    headers = {"Accept": "text/event-stream"}
    with httpx.stream("GET", f"{url}/v1/jobs/{job}/events", headers=headers, timeout=60.0) as answer:
        for line in answer.iter_lines():
            if line.startswith("data: ") and (event := json.loads(line[6:])).get("type") == "epoch":
                told[event["data"]["epoch"]] = 1000 * time.time()


def stored(url: str, job: str) -> dict[int, float]:
    """When each epoch's entry came into the job's log."""
    rows = httpx.get(f"{url}/v1/jobs/{job}/events").json()["data"]
    return {row["data"]["epoch"]: ms(row["at"]) for row in rows if row["type"] == "epoch"}


def drawn(page: Tab) -> dict[int, float]:
    """When each epoch was first on the page."""
    return {int(epoch): at for epoch, at in page.value("drawn").items()}


def lateness(stored: Mapping[int, float], seen: Mapping[int, float]) -> dict[int, float]:
    """Milliseconds from each epoch to the first moment at which it, or a later one, was seen."""
    return {epoch: min(at for other, at in seen.items() if other >= epoch) - began for epoch, began in stored.items()}


def ms(at: str) -> float:
    return 1000 * datetime.fromisoformat(at).timestamp()


if __name__ == "__main__":
    main()
