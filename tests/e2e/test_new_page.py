"""A new job in a real browser: from the form, from its JSON, and from a file of one's own."""

from __future__ import annotations

import json
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.e2e.lasting import Lasting

WITHIN_MS = 20_000


def spec_of(page: Page) -> dict[str, object]:
    found: dict[str, object] = json.loads(page.locator("#spec").input_value())
    return found


def test_a_job_is_submitted_from_the_form_which_says_what_is_wrong(page: Page, service: Lasting) -> None:
    page.goto("/new")
    page.get_by_label("dataset", exact=True).select_option("iris")
    page.get_by_label("model", exact=True).select_option("mlp")
    page.get_by_label("hidden", exact=True).fill("[4]")
    page.get_by_label("epochs", exact=True).fill("0")
    expect(page.locator("#planned li").first).to_contain_text("/epochs", timeout=WITHIN_MS)
    expect(page.get_by_label("epochs", exact=True)).to_have_attribute("aria-invalid", "true")

    page.get_by_label("epochs", exact=True).fill("3")
    expect(page.locator("#planned")).to_contain_text("120 train, 30 validation", timeout=WITHIN_MS)
    told = spec_of(page)
    assert (told["dataset"], told["model"], told["epochs"]) == ("iris", {"name": "mlp", "hidden": [4]}, 3)

    page.locator("#spec").fill(json.dumps({**told, "name": "from the form", "batch_size": 16}))
    expect(page.get_by_label("batch_size", exact=True)).to_have_value("16")
    page.get_by_role("button", name="Submit").click()
    page.wait_for_url("**/jobs/job_*")
    expect(page.get_by_role("heading", level=1)).to_have_text("from the form")
    assert service.job(page.url.rpartition("/")[2])["spec"]["batch_size"] == 16


def test_a_file_of_ones_own_is_looked_into_and_its_target_chosen(page: Page, tmp_path: Path) -> None:
    rows = [f"{n % 7},{n % 5},{'yes' if n % 2 else 'no'}" for n in range(60)]
    table = tmp_path / "mine.csv"
    table.write_text("\n".join(["width,height,answer", *rows]))
    page.goto("/new")
    page.locator("#file").set_input_files(table)

    expect(page.locator("#profile caption")).to_contain_text("mine.csv", timeout=WITHIN_MS)
    expect(page.get_by_label("Predict answer")).to_be_checked()
    page.get_by_label("Predict width").check()
    dataset = spec_of(page)["dataset"]
    assert isinstance(dataset, dict)
    assert (dataset["name"], dataset["target"]) == ("upload", "width")
    expect(page.locator("#planned")).to_contain_text("48 train", timeout=WITHIN_MS)
