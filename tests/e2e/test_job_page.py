"""A job's page in a real browser: watched to the end, reloaded, cut off, forked from and asked."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import PICTURES
from tests.e2e.lasting import Lasting

WITHIN_MS = 20_000
SLOW = {
    "name": "slow",
    "dataset": "digits",
    "model": {"name": "mlp", "hidden": [64]},
    "batch_size": 16,
    "epochs": 20,
    "checkpoints": {"every_epochs": 10},
}
DRAWN = "() => (document.getElementById('chart').data ?? []).find((one) => one.name === 'train loss')?.x ?? []"


def drawn(page: Page, least: int = 1) -> list[int]:
    """The epochs on the curve of the training loss, once there are as many."""
    page.wait_for_function(f"() => ({DRAWN})().length >= {least}", timeout=WITHIN_MS)
    found: list[int] = page.evaluate(DRAWN)
    return found


def ends(page: Page, status: str = "succeeded") -> None:
    """Wait until the page says that the job has ended."""
    expect(page.locator("#standing .status")).to_have_text(status, timeout=WITHIN_MS)


def test_a_job_is_watched_to_its_end(page: Page, service: Lasting) -> None:
    job_id = service.submit(**SLOW)
    page.goto(f"/jobs/{job_id}")
    ends(page)

    every = list(range(1, 21))
    assert drawn(page, len(every)) == every
    shown = page.locator("#epochs tbody tr td:first-child").all_inner_texts()
    assert [int(text) for text in shown] == every[::-1]
    expect(page.locator("#live")).to_have_text("")
    expect(page.locator("#verbs button")).to_have_count(0)


def test_no_epoch_is_lost_or_doubled_by_a_reload_or_by_a_service_that_was_killed(page: Page, service: Lasting) -> None:
    job_id = service.submit(**{**SLOW, "epochs": 5000})
    page.goto(f"/jobs/{job_id}")
    seen = drawn(page, 3)
    page.reload()
    seen = drawn(page, len(seen) + 3)
    assert seen == list(range(1, len(seen) + 1))

    with service.away():
        expect(page.locator("#live")).to_contain_text("Trying again", timeout=WITHIN_MS)
        seen = drawn(page)
    drawn(page, len(seen) + 3)
    expect(page.locator("#transitions")).to_contain_text("lease expired", timeout=WITHIN_MS)

    service.api.post(f"/v1/jobs/{job_id}/cancel")
    ends(page, "cancelled")
    every = service.epochs(job_id)
    assert drawn(page, len(every)) == every == list(range(1, len(every) + 1))


@pytest.mark.full
def test_a_running_job_is_paused_resumed_and_cancelled_by_its_buttons(page: Page, service: Lasting) -> None:
    job_id = service.submit(**{**SLOW, "epochs": 5000})
    page.goto(f"/jobs/{job_id}")
    for verb, status in (("Pause", "paused"), ("Resume", "running"), ("Cancel", "cancelled")):
        page.get_by_role("button", name=verb, exact=True).click()
        ends(page, status)

    page.get_by_role("button", name="Retry").click()
    page.wait_for_url(lambda url: "/jobs/" in url and job_id not in url)
    again = page.url.rpartition("/")[2]
    parent = service.job(again)["parent"]
    service.api.post(f"/v1/jobs/{again}/cancel")
    ends(page, "cancelled")
    assert parent["id"] == job_id


def test_a_click_on_the_curve_chooses_where_the_fork_leaves(page: Page, iris: str, service: Lasting) -> None:
    page.goto(f"/jobs/{iris}")
    drawn(page, 12)
    page.locator("#chart .nsewdrag").first.click(position={"x": 5, "y": 60})
    epoch = int(page.locator("#fork-epoch").input_value())
    assert epoch <= 2

    page.locator("#fork-patch").fill('{"lr": 0.02, "epochs": ')
    page.get_by_role("button", name="Fork").click()
    expect(page.locator("#fork-problem")).to_contain_text("This is no JSON")
    page.locator("#fork-patch").fill('{"lr": -1}')
    page.get_by_role("button", name="Fork").click()
    expect(page.locator("#fork-problem")).to_contain_text("greater than")
    page.locator("#fork-patch").fill('{"lr": 0.02, "epochs": 20}')
    page.get_by_role("button", name="Fork").click()

    page.wait_for_url(lambda url: "/jobs/" in url and iris not in url)
    ends(page)
    assert drawn(page, 20 - epoch) == list(range(epoch + 1, 21))
    expect(page.locator("#settings tr.marked").first).to_contain_text("0.02")
    assert service.job(page.url.rpartition("/")[2])["parent"] == {"id": iris, "epoch": epoch}


@pytest.mark.full
def test_the_reports_pictures_are_there(page: Page, iris: str) -> None:
    page.context.unroute(PICTURES)
    page.goto(f"/jobs/{iris}")
    picture = page.locator("#pictures img").first
    picture.scroll_into_view_if_needed()
    page.wait_for_function("() => document.querySelector('#pictures img').naturalWidth > 0", timeout=WITHIN_MS)


@pytest.mark.full
def test_the_same_job_is_copied_as_text_for_a_terminal_and_for_python(page: Page, iris: str) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"/jobs/{iris}")
    for name, begins in (("curl", "curl http://"), ("Python", "from trainwire"), ("Command line", "trainwire submit")):
        place = page.locator("#copies details").filter(has_text=name)
        place.locator("summary").click()
        place.get_by_role("button", name="Copy").click()
        expect(place.get_by_role("button", name="Copied")).to_be_visible()
        copied = page.evaluate("() => navigator.clipboard.readText()")
        assert copied == place.locator("pre").text_content()
        assert copied.startswith(begins)
        assert page.url.partition("/jobs")[0] in copied


def test_the_model_is_tried_on_its_page(page: Page, iris: str, service: Lasting) -> None:
    page.goto(f"/jobs/{iris}")
    rows = page.locator("#predict-rows")
    expect(rows).to_have_value(re.compile("sepal length"), timeout=WITHIN_MS)
    assert json.loads(rows.input_value())["rows"][0]["sepal length (cm)"] > 0

    page.get_by_role("button", name="Predict").click()
    expect(page.locator("#predicted td").first).to_have_text(re.compile("virginica|versicolor"), timeout=WITHIN_MS)

    names = service.api.get(f"/v1/jobs/{iris}/artifacts/model.json").json()["features"]
    lines = [",".join(names), "5.1,3.5,1.4,0.2", "6.9,3.1,5.4,2.1"]
    chosen = page.get_by_label("or a file of rows")
    chosen.set_input_files({"name": "flowers.csv", "mimeType": "text/csv", "buffer": "\n".join(lines).encode()})
    page.get_by_role("button", name="Predict").click()
    expect(page.locator("#predicted tbody tr")).to_have_count(2, timeout=WITHIN_MS)
    expect(page.locator("#predicted td").first).to_have_text("setosa")
    chosen.set_input_files([])

    rows.fill('{"rows": [{"sepal length (cm)": "long"}]}')
    page.get_by_role("button", name="Predict").click()
    expect(page.locator("#predict-problem")).to_contain_text("long")
