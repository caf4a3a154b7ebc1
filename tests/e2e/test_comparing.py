"""A comparison in a real browser: one curve a job, and an address that shows the same elsewhere."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.e2e.conftest import IRIS
from tests.e2e.lasting import Lasting

CURVES = "() => (document.getElementById('chart').data ?? []).map((one) => [one.name, one.x.length])"


def test_the_address_of_a_comparison_shows_the_same_elsewhere(page: Page, iris: str, service: Lasting) -> None:
    other = service.submit(**{**IRIS, "lr": 0.05, "epochs": 8})
    page.goto(f"/compare?jobs={iris},{other}")
    page.wait_for_function(f"() => ({CURVES})().some(([, points]) => points === 8)", timeout=20_000)
    expect(page.locator(".modebar-btn[data-title]").first).to_be_attached()
    expect(page.locator(".modebar-btn[data-title*='Share']")).to_have_count(0)
    curves = page.evaluate(CURVES)
    assert [points for _, points in curves] == [12, 8]
    assert "lr 0.05" in curves[1][0]
    expect(page.locator("thead")).to_contain_text("lr")

    page.locator("#axes [name=metric]").select_option("val_accuracy")
    page.locator("#axes [name=scale]").select_option("log")
    again = page.context.new_page()
    again.goto(page.url)
    again.wait_for_function(f"() => ({CURVES})().length === 2", timeout=20_000)
    layout = again.evaluate(
        "() => { const { yaxis } = document.getElementById('chart').layout; return [yaxis.type, yaxis.title.text]; }"
    )
    assert layout == ["log", "val accuracy"]
