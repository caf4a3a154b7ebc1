"""What people look at: the first paint of the list of jobs, and how late a live point is on a job's page."""

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
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from bench.service import service, wait_warm

FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")
PAINT_LINE_MS, POINT_LINE_MS = 1000.0, 700.0
ROUNDS = 5
VISITS = 4
"""A browser keeps what it compiled of a script that it ran twice."""
SPEC = {"dataset": {"name": "moons", "samples": 20_000}, "model": "mlp", "epochs": 25}
PAINT = "() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
NOTE = """
window.drawn = {};
setInterval(() => {
  const chart = document.getElementById("chart");
  const last = (chart?.data ?? []).find((one) => one.name === "train loss")?.x.at(-1);
  if (last && chart.dataset.points) drawn[last] ??= Date.now();
}, 10);
"""
"""When each epoch was first the last one on the chart."""


def main() -> None:
    path = shutil.which("chromium")
    if path is None:
        print("left out: it needs Chromium (apt-get install chromium)")
        return
    with service() as up, sync_playwright() as playwright:
        wait_warm(up.url)
        print(f"the machine's load is {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        paint(browser, up.url)
        browser.close()
        with tempfile.TemporaryDirectory() as profile:
            for visit in range(VISITS):
                context = playwright.chromium.launch_persistent_context(profile, executable_path=path, args=FLAGS)
                points(context, up.url, visit=visit + 1)
                context.close()
    print(f"(line {POINT_LINE_MS:.0f} ms)")


def paint(browser: Browser, url: str) -> None:
    """The first contentful paint of `/` with an empty cache, beside the bare answer."""
    painted, floor = [], []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        httpx.get(url).raise_for_status()
        floor.append(1000 * (time.perf_counter() - began))
        context = browser.new_context()
        page = context.new_page()
        page.goto(url)
        painted.append(page.wait_for_function(PAINT).json_value())
        context.close()
    told = f"p50 {statistics.median(painted):.0f} ms, at most {max(painted):.0f} ms"
    print(f"first paint of / {told} (line {PAINT_LINE_MS:.0f} ms); the answer alone {statistics.median(floor):.0f} ms")


def points(context: BrowserContext, url: str, *, visit: int) -> None:
    """From an epoch's entry in the job's log to the chart, and to a plain reader of the job's stream."""
    job, drawn, told = watched(context, url)
    rows = httpx.get(f"{url}/v1/jobs/{job}/events").json()["data"]
    stored = {row["data"]["epoch"]: ms(row["at"]) for row in rows if row["type"] == "epoch"}
    late = lateness(stored, drawn)
    live = [value for epoch, value in late.items() if stored[epoch] > min(drawn.values())]
    print(
        f"visit {visit}: a point is on the chart p50 {statistics.median(late.values()):.0f} ms after its epoch was "
        f"stored, at most {max(late.values()):.0f} ms, once the chart is there at most {max(live):.0f} ms; "
        f"a plain stream tells it by {statistics.median(lateness(stored, told).values()):.0f} ms"
    )


def watched(context: BrowserContext, url: str) -> tuple[str, dict[int, float], dict[int, float]]:
    """A job, and when each of its epochs was on a page that opens as it is queued, and told by its stream."""
    page = context.new_page()
    page.add_init_script(NOTE)
    job = httpx.post(f"{url}/v1/jobs", json=SPEC).raise_for_status().json()["id"]
    told: dict[int, float] = {}
    reader = threading.Thread(target=listen, args=(url, job, told), daemon=True)
    reader.start()
    page.goto(f"{url}/jobs/{job}")
    page.wait_for_function(f"() => drawn[{SPEC['epochs']}]", timeout=120_000)
    reader.join(60)
    return job, {int(epoch): at for epoch, at in page.evaluate("drawn").items()}, told


def listen(url: str, job: str, told: dict[int, float]) -> None:
    """Note when the job's stream told each epoch."""
    headers = {"Accept": "text/event-stream"}
    with httpx.stream("GET", f"{url}/v1/jobs/{job}/events", headers=headers, timeout=60.0) as answer:
        for line in answer.iter_lines():
            if line.startswith("data: ") and (event := json.loads(line[6:])).get("type") == "epoch":
                told[event["data"]["epoch"]] = 1000 * time.time()


def lateness(stored: Mapping[int, float], seen: Mapping[int, float]) -> dict[int, float]:
    """Milliseconds from each epoch to the first moment at which it, or a later one, was seen."""
    return {epoch: min(at for other, at in seen.items() if other >= epoch) - began for epoch, began in stored.items()}


def ms(at: str) -> float:
    return 1000 * datetime.fromisoformat(at).timestamp()


if __name__ == "__main__":
    main()
