"""One service and one browser for all tests of the pages; each test has a tab that must ask no other host."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.e2e.chromium import FLAGS, chromium
from tests.e2e.lasting import Lasting

IRIS = {"name": "iris", "dataset": "iris", "model": "linear", "epochs": 12}
PICTURES = "**/report?*"
"""Drawing a report's pictures takes a process each: only where a test is about them."""


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    path = chromium()
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield running
        running.close()


@pytest.fixture(scope="package")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lasting]:
    running = Lasting(tmp_path_factory.mktemp("e2e") / "data")
    yield running
    running.close()


@pytest.fixture(scope="package")
def iris(service: Lasting) -> str:
    """A job that has succeeded."""
    job_id = service.submit(**IRIS)
    assert service.ended(job_id)["status"] == "succeeded"
    return job_id


@pytest.fixture
def page(browser: Browser, service: Lasting) -> Iterator[Page]:
    """A tab; behind the test it must have asked no other host, broken no policy and thrown nothing."""
    context = browser.new_context(base_url=service.url, viewport={"width": 1280, "height": 900})
    context.route(PICTURES, lambda route: route.abort())
    opened = context.new_page()
    asked: set[str] = set()
    wrong: list[str] = []
    opened.on("request", lambda request: asked.add(request.url))
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.on("console", lambda told: wrong.append(told.text) if re.search("Content.Security", told.text) else None)
    yield opened
    context.close()
    service.cancel_all()
    foreign = {url for url in asked if urlsplit(url).netloc != urlsplit(service.url).netloc}
    assert not {url for url in foreign if not url.startswith(("data:", "blob:"))}
    assert not wrong
