"""A comparison in a real browser: one curve a job, and an address that shows the same elsewhere."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Page, Route, expect

from tests.e2e.conftest import IRIS
from tests.e2e.lasting import Lasting

WITHIN_MS = 20_000
CURVE = {"epochs": [1], "figures": {"val_loss": [0.5]}, "nonfinite": {}}
MANY = """async (ids) => {
  const { Curves } = await import('/static/many.js');
  const curves = new Curves();
  await curves.of(ids, ['val_loss']);
  return (await curves.of(ids, ['val_loss'])).size;
}"""
"""How many curves are known once they were asked for twice."""
CURVES = "() => (document.getElementById('chart').data ?? []).map((one) => [one.name, one.x.length])"


def test_the_address_of_a_comparison_shows_the_same_elsewhere(page: Page, iris: str, service: Lasting) -> None:
    other = service.submit(**{**IRIS, "epochs": 8, "lr": 0.05})
    page.goto(f"/compare?jobs={iris},{other}")
    page.wait_for_function(f"() => ({CURVES})().some(([, points]) => points === 8)", timeout=WITHIN_MS)
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
    again.wait_for_function(f"() => ({CURVES})().length === 2", timeout=WITHIN_MS)
    layout = again.evaluate(
        "() => { const { yaxis } = document.getElementById('chart').layout; return [yaxis.type, yaxis.title.text]; }"
    )
    assert layout == ["log", "val accuracy"]

    again.locator("#axes [name=view]").select_option("parallel")
    again.wait_for_function("() => document.getElementById('chart').data[0].text?.length === 3", timeout=WITHIN_MS)
    drawn = again.evaluate(
        "() => document.getElementById('chart').data.map((one) => [one.name, one.text[1], one.y[1]])"
    )
    assert sorted(drawn) == [["iris", "epochs 12", 1], ["iris", "epochs 8", 0]]
    elsewhere = page.context.new_page()
    elsewhere.goto(again.url)
    elsewhere.wait_for_function("() => document.getElementById('chart').data?.length === 2", timeout=WITHIN_MS)
    expect(elsewhere.locator("#axes [name=view]")).to_have_value("parallel")
    expect(elsewhere.locator("#axes [name=metric]")).to_have_value("val_accuracy")
    expect(elsewhere.locator("#axes [name=smooth]")).to_be_hidden()


def test_the_curves_of_very_many_jobs_are_asked_for_in_pieces(page: Page) -> None:
    asked: list[int] = []

    def answer(route: Route) -> None:
        ids = parse_qs(urlsplit(route.request.url).query)["jobs"][0].split(",")
        asked.append(len(ids))
        route.fulfill(json={"data": [{"job": one, "status": "succeeded", **CURVE} for one in ids]})

    page.goto("/compare")
    page.route("**/v1/metrics?*", answer)
    known = page.evaluate(MANY, [f"job_{number}" for number in range(450)])
    assert (asked, known) == ([200, 200, 50], 450)


def test_jobs_are_found_added_and_taken_out_on_the_page(page: Page, iris: str, service: Lasting) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/metrics?" in request.url else None)
    name = "<b>odd</b> & 'name'"
    other = service.submit(**{**IRIS, "name": name, "epochs": 3, "split": {"folds": 2}})
    service.ended(other)
    page.goto("/compare")
    expect(page.locator(".empty")).to_contain_text("Choose some jobs")
    for job_id in (iris, other):
        page.get_by_label("Add jobs").fill(job_id)
        page.locator(f"[data-add='{job_id}']").click()
        expect(page.locator(f"#{job_id}")).to_be_visible()
    page.wait_for_function(f"() => ({CURVES})().length === 2", timeout=WITHIN_MS)
    assert page.url.endswith(f"jobs={iris},{other}")
    shown = "tspan, text.legendtext"
    expect(page.locator("#chart .legend").locator(shown).last).to_contain_text(f"{name}: ")
    folds = page.evaluate("() => document.getElementById('chart').data[1].y.map((one) => one === null)")
    assert folds == [False] * 3 + [True] + [False] * 3, "the line is broken between two folds"
    assert all("/v1/metrics?" in url for url in asked)

    page.get_by_role("button", name=f"Take {name} out").click()
    expect(page.locator(f"#{other}")).to_have_count(0)
    page.wait_for_function(f"() => ({CURVES})().length === 1", timeout=WITHIN_MS)
    assert page.url.endswith(f"jobs={iris}")
    page.get_by_label("Add jobs").fill("nothing is called so")
    expect(page.locator("#found-count")).to_contain_text("No job has this")
