"""How pages look to all: axe finds nothing serious, nothing scrolls sideways, and tables need no JavaScript."""

from __future__ import annotations

from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import IRIS, PICTURES
from tests.e2e.lasting import Lasting

PAGES = ("/", "/jobs/{iris}", "/compare?jobs={iris}", "/new?from={iris}")
AND = ("/compare?jobs={iris},{wide}&view=parallel", "/jobs/none", "/help/using", "/help/spec")
SETTLED = """() => [...document.querySelectorAll('#chart')].every((one) => one.data && one.dataset.points)
  && [...document.querySelectorAll('#planned, tr[data-epoch] .spark')].every((one) => one.childElementCount)"""
"""Whatever a script draws is there."""
SERIOUS = {"serious", "critical"}
Scheme = Literal["light", "dark"]


@pytest.fixture(scope="module")
def wide(service: Lasting) -> str:
    """Another job that has succeeded, with a setting that differs."""
    job_id = service.submit(**IRIS | {"batch_size": 128})
    assert service.ended(job_id)["status"] == "succeeded"
    return job_id


@pytest.mark.parametrize("address", [*PAGES, *AND])
def test_axe_finds_nothing_serious_and_nothing_is_cut_off(page: Page, iris: str, wide: str, address: str) -> None:
    page.goto(address.format(iris=iris, wide=wide))
    page.wait_for_function(SETTLED, timeout=20_000)
    schemes: tuple[Scheme, ...] = ("light", "dark")
    for scheme, width in zip(schemes, (1280, 390), strict=True):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 800})
        found = Axe().run(page).response["violations"]
        told = [(one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in SERIOUS]
        assert not told, f"{scheme}, {width} pixels"
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{width} pixels"


@pytest.mark.parametrize("address", PAGES)
def test_without_javascript_the_tables_are_there(browser: Browser, service: Lasting, iris: str, address: str) -> None:
    context = browser.new_context(base_url=service.url, java_script_enabled=False)
    context.route(PICTURES, lambda route: route.abort())
    page = context.new_page()
    page.goto(address.format(iris=iris))
    expect(page.locator("table, textarea").first).to_contain_text("12" if address.startswith("/jobs") else "iris")
    expect(page.locator(".needs-js:visible")).to_have_count(0)
    context.close()


def test_everything_on_a_page_is_reached_by_the_keyboard(page: Page, iris: str) -> None:
    page.goto("/")
    reached = False
    for _ in range(60):
        page.keyboard.press("Tab")
        if reached := page.evaluate("document.activeElement.getAttribute('href')") == f"/jobs/{iris}":
            break
    assert reached
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/jobs/{iris}")
    expect(page.get_by_role("heading", level=1)).to_have_text("iris")
