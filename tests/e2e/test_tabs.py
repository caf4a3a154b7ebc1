"""Many tabs of one browser: all live at once, on two streams between them."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.e2e.lasting import Lasting
from tests.e2e.test_job_page import DRAWN, SLOW, WITHIN_MS

LONG = {**SLOW, "epochs": 5000}
ALONE = "delete window.SharedWorker"


def watchers(service: Lasting) -> int:
    """The streams open at the service."""
    told = service.api.get("/metrics").text.splitlines()
    return int(float(next(line for line in told if line.startswith("trainwire_watchers ")).split()[1]))


def lives(page: Page, address: str) -> None:
    """Wait until two more epochs came to a page that is open, without its being loaded anew."""
    if address.startswith("/jobs/"):
        count = page.evaluate(f"() => ({DRAWN})().length")
        page.wait_for_function(f"() => ({DRAWN})().length >= {count + 2}", timeout=WITHIN_MS)
    else:
        row = page.locator("tbody tr").filter(has_text="in a tab").first
        before = row.inner_text()
        expect(row).not_to_have_text(before, timeout=WITHIN_MS)


def test_eight_tabs_are_live_at_once_on_two_streams(page: Page, iris: str, service: Lasting) -> None:
    first = service.submit(**{**LONG, "name": "in a tab"})
    lists = ["/", "/?status=running", "/?q=tab", "/?status=running&q=tab", f"/compare?jobs={first},{iris}"]
    addresses = [*lists, *[f"/jobs/{first}"] * 2, f"/jobs/{iris}"]
    tabs = {page: addresses[0]} | {page.context.new_page(): address for address in addresses[1:]}
    for tab, address in tabs.items():
        tab.goto(address, wait_until="commit")
    for tab, address in tabs.items():
        if address != f"/jobs/{iris}":
            lives(tab, address)
    assert 1 <= watchers(service) <= 2

    service.api.post(f"/v1/jobs/{first}/cancel")
    every: list[int] = []
    for tab, address in tabs.items():
        if address == f"/jobs/{first}":
            expect(tab.locator("#standing .status")).to_have_text("cancelled", timeout=WITHIN_MS)
            every = every or service.epochs(first)
            tab.wait_for_function(f"() => ({DRAWN})().length >= {len(every)}", timeout=WITHIN_MS)
            assert tab.evaluate(DRAWN) == every == list(range(1, len(every) + 1))


def test_a_browser_without_shared_workers_has_a_stream_for_each_page(page: Page, service: Lasting) -> None:
    page.add_init_script(ALONE)
    job_id = service.submit(**SLOW)
    page.goto(f"/jobs/{job_id}")
    expect(page.locator("#standing .status")).to_have_text("succeeded", timeout=WITHIN_MS)
    page.wait_for_function(f"() => ({DRAWN})().length === {SLOW['epochs']}", timeout=WITHIN_MS)
    assert page.evaluate("typeof SharedWorker") == "undefined"
