"""Curves in a real browser: what is asked of them is in what is drawn, and a gap is a gap with a mark."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e.lasting import Lasting
from tests.e2e.test_job_page import drawn

LOSS = """() => { const { data, layout } = document.getElementById('chart');
  return [data.filter((one) => one.name === 'train loss').map((one) => [one.opacity, one.y]),
    [layout.yaxis.type, layout.xaxis.title.text]]; }"""
DRAW = """async ([rows, hidden]) => {
  const [{ create }, { pictureOf }] = [await import('/static/chart.js'), await import('/static/curves.js')];
  const place = document.createElement('div');
  place.id = 'gaps';
  place.dataset.plotly = document.getElementById('chart').dataset.plotly;
  document.getElementById('main').prepend(place);
  place.hidden = hidden;
  (await create(place)).set(pictureOf(rows, { along: 'epoch', steps: 1, scale: 'linear', smooth: 0 }));
}"""
SHOW = """() => new Promise((shown) => {
  const place = document.getElementById('gaps');
  new IntersectionObserver(([entry]) => entry.isIntersecting && shown()).observe(place);
  place.hidden = false;
})"""
SEEN = """() => [...document.querySelectorAll('#gaps .scatterlayer .trace')].map((trace) => [
  trace.__data__[0].trace.name, trace.querySelectorAll('.js-line').length, trace.querySelectorAll('.point').length,
])"""
"""Of each trace that is drawn: its name, the unbroken pieces of its line, and its marks."""


ROWS = [{"epoch": epoch, "train_loss": 1 / epoch, "lr": 0.1, "epoch_s": 1} for epoch in (1, 2, 3)]
AN_INSTANT = 50
"""Milliseconds of the page's clock, a tenth of the time between two drawings."""


PACED = """async () => {
  const { paced } = await import('/static/dom.js');
  const began = performance.now();
  window.runs = [];
  window.soon = paced(500, () => {
    runs.push(performance.now() - began);
    return new Promise((done) => setTimeout(done, 700));
  });
  soon();
}"""
"""Work that takes longer than the time between two runs, and when each run began."""
SKETCHED = """() => [...document.querySelectorAll('#chart .sketch path[stroke]')].map((path) =>
  [path.getAttribute('stroke'), path.getAttribute('d').split(/[ML]/).length - 1])"""
"""Of each line that is sketched: its colour and its points."""


def test_the_axes_and_the_smoothing_are_in_the_curves_and_in_the_address(
    page: Page, iris: str, service: Lasting
) -> None:
    page.goto(f"/jobs/{iris}?along=step&scale=log&smooth=0.5")
    (started,) = [
        event["data"]
        for event in service.api.get(f"/v1/jobs/{iris}/events").json()["data"]
        if event["type"] == "started"
    ]
    assert drawn(page, 12) == [started["steps_per_epoch"] * epoch for epoch in range(1, 13)]
    curves, axes = page.evaluate(LOSS)
    assert axes == ["log", "step"]
    (opacity, shadow), (_, smooth) = curves
    assert opacity < 1
    assert shadow == [row["train_loss"] for row in service.api.get(f"/v1/jobs/{iris}/metrics").json()["data"]]
    mean, share = 0.0, 0.0
    for value, shown in zip(shadow, smooth, strict=True):
        mean, share = 0.5 * mean + 0.5 * value, 0.5 * share + 0.5
        assert shown == pytest.approx(mean / share)

    page.locator("#axes [name=along]").select_option("time")
    page.wait_for_function("() => document.getElementById('chart').layout.xaxis.title.text === 'seconds'")
    assert "along=time" in page.url


def test_what_is_no_number_is_a_gap_with_a_mark(page: Page, iris: str) -> None:
    page.goto(f"/jobs/{iris}")
    told = {"lr": 0.1, "epoch_s": 1}
    losses: dict[int, float | None] = {1: 3.0, 2: 2.0, 3: None, 4: 1.0, 5: 0.5}
    rows: list[dict[str, object]] = [{**told, "epoch": epoch, "train_loss": loss} for epoch, loss in losses.items()]
    rows[2]["nonfinite"] = {"train_loss": "nan"}
    page.evaluate(DRAW, [rows, False])
    page.wait_for_function("() => document.querySelector('#gaps .point')")
    assert sorted(page.evaluate(SEEN)) == [["lr", 1, 0], ["train loss", 2, 0], ["train loss is no number", 0, 1]]


def test_what_comes_to_be_seen_is_drawn_at_once(page: Page, iris: str) -> None:
    page.goto(f"/jobs/{iris}")
    drawn(page, 12)
    page.clock.install()
    page.clock.pause_at(page.evaluate("Date.now() + 1000"))
    page.evaluate(DRAW, [ROWS, True])
    page.clock.run_for(AN_INSTANT)
    page.evaluate(SHOW)
    page.clock.run_for(AN_INSTANT)
    page.locator("#gaps .js-line").first.wait_for(state="attached")


def test_what_comes_while_something_is_drawn_is_drawn_right_behind_it(page: Page) -> None:
    page.goto("/new")
    page.clock.install()
    page.clock.pause_at(page.evaluate("Date.now() + 1000"))
    page.evaluate(PACED)
    page.clock.run_for(100)
    page.evaluate("soon()")
    page.evaluate("soon()")
    page.clock.run_for(3000)
    assert page.evaluate("runs") == pytest.approx([0, 700], abs=5)


def test_curves_are_there_before_the_library_that_draws_them(page: Page, iris: str) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/plotly.min.js", hold)
    page.goto(f"/jobs/{iris}", wait_until="commit")
    page.wait_for_function("() => document.querySelector('#chart .sketch')")
    lines = page.evaluate(SKETCHED)
    assert [points for _, points in lines] == [12, 12, 12, 12]
    assert len({colour for colour, _ in lines}) == 4

    held[0].continue_()
    assert drawn(page, 12) == list(range(1, 13))
    page.wait_for_function("() => !document.querySelector('.sketch')")


def test_without_the_library_the_page_says_so_and_keeps_the_lines(page: Page, iris: str) -> None:
    page.route("**/plotly.min.js", lambda route: route.abort())
    page.goto(f"/jobs/{iris}")
    expect(page.locator("#problem")).to_have_text(re.compile("library did not load; reload"))
    page.wait_for_function(f"() => ({SKETCHED})().length === 4")
