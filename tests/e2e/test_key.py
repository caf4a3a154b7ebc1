"""Pages of a service with a key: nothing to see before it is given, everything behind it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from api.app import create_app
from api.examples import REPORTED
from api.server import Server
from core.bell import LocalWatchBell
from core.job import Artifact
from core.settings import Settings
from core.store import Store, schema
from core.wire import dumps
from tests.api.playing import Play, WorkBellFake, epoch, finished

KEY = "a-key"
OTHERS = re.compile(r"figure=(?!confusion)")
"""Drawing takes a process each: of the report's pictures one is drawn, the others are empty."""
EMPTY = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[tuple[str, Play]]:
    """The address of an API with a key, and the runs that are played behind it."""
    settings = Settings(database_url=f"sqlite:///{tmp_path / 'trainwire.db'}", artifacts=tmp_path, api_key=KEY)
    schema.upgrade(settings.database_url)
    bell = LocalWatchBell()
    with closing(Store.open(settings.database_url, settings=settings)) as store:
        app = create_app(store=store, watch_bell=bell, work_bell=WorkBellFake(), settings=settings)
        with Server(app, "127.0.0.1", 0) as server:
            yield server.url, Play(store, bell)


def test_a_page_asks_for_the_key_and_goes_on_with_it(browser: Browser, locked: tuple[str, Play]) -> None:
    url, play = locked
    job = play.running(name="hidden-name")
    play.tell(job, epoch(1))
    page = browser.new_context(base_url=url).new_page()
    page.goto(f"/jobs/{job.id}")
    field = page.get_by_label("This service needs its key")

    for key, told in (("wrong", "That is not its key."), (KEY, "")):
        field.fill(key)
        page.get_by_role("button", name="Go on").click()
        expect(page.locator("#problem")).to_have_text(told)
    expect(page.get_by_role("heading", level=1)).to_have_text("hidden-name")
    expect(page.locator("#live")).to_have_text("live")

    play.tell(job, epoch(2))
    expect(page.locator("#epoch-2")).to_be_visible()
    page.get_by_role("link", name="Jobs").click()
    expect(page.locator(f"#{job.id}")).to_contain_text("hidden-name")
    page.get_by_role("link", name="New job").click()
    expect(page.get_by_label("dataset", exact=True)).to_have_value("digits")
    page.context.close()


@pytest.mark.full
def test_a_picture_of_the_report_comes_behind_the_key(
    browser: Browser, locked: tuple[str, Play], tmp_path: Path
) -> None:
    url, play = locked
    job = play.running()
    (tmp_path / "report.json").write_text(dumps(REPORTED))
    play.tell(job, epoch(1), finished(Artifact("report.json", "report.json", "application/json", 9, "5" * 64)))
    page = browser.new_context(base_url=url).new_page()
    page.route(OTHERS, lambda route: route.fulfill(body=EMPTY, content_type="image/svg+xml"))
    page.goto(f"/jobs/{job.id}")
    page.get_by_label("This service needs its key").fill(KEY)
    page.get_by_role("button", name="Go on").click()
    picture = page.get_by_alt_text("Confusion of the report")
    expect(picture).to_have_attribute("src", re.compile("blob:"), timeout=20_000)
    picture.scroll_into_view_if_needed()
    page.wait_for_function("(one) => one.naturalWidth > 99", arg=picture.element_handle(), timeout=20_000)
    page.context.close()
