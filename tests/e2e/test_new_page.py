"""A new job in a real browser: from the form, from its JSON, and from a file of one's own."""

from __future__ import annotations

import json
import re
from pathlib import Path

from playwright.sync_api import Page, Route, expect

from core.spec import JobSpec
from tests.e2e.lasting import Lasting

WITHIN_MS = 20_000


def spec_of(page: Page) -> dict[str, object]:
    found: dict[str, object] = json.loads(page.locator("#spec").input_value())
    return found


def drop(page: Page, file: Path) -> None:
    """Drop a file on the page as a file manager does."""
    browser = page.context.new_cdp_session(page)
    files = {"items": [], "files": [str(file)], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        browser.send("Input.dispatchDragEvent", {"type": kind, "x": 500, "y": 300, "data": files})
        if kind == "dragOver":
            expect(page.locator("#drop")).to_have_class(re.compile("over"))


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


def test_every_setting_of_a_spec_has_a_field(page: Page) -> None:
    page.goto("/new")
    page.get_by_text("More settings").click()
    asked = set(
        page.evaluate("() => [...document.querySelectorAll('#fields [data-path]')].map((one) => one.dataset.path)")
    )
    whole = JobSpec.model_json_schema()
    for name in whole["properties"]:
        assert name in asked or any(path.startswith(f"{name}.") for path in asked), name
    expect(page.get_by_label("early_stopping.patience", exact=True)).to_have_attribute("placeholder", "5")
    told = "End when the monitored figure has not improved"
    expect(page.locator("fieldset", has_text="early_stopping.patience").last).to_contain_text(told)

    page.get_by_label("early_stopping.patience", exact=True).fill("3")
    page.get_by_label("metrics", exact=True).fill("accuracy, f1")
    page.get_by_label("precision", exact=True).select_option("bf16")
    page.get_by_label("loader.shuffle", exact=True).select_option("false")
    page.get_by_label("clip_grad_norm", exact=True).fill("-1")
    told_spec = spec_of(page)
    assert told_spec["early_stopping"] == {"patience": 3}
    assert told_spec["metrics"] == ["accuracy", "f1"]
    assert (told_spec["precision"], told_spec["loader"]) == ("bf16", {"shuffle": False})
    expect(page.get_by_label("clip_grad_norm", exact=True)).to_have_attribute("aria-invalid", "true", timeout=WITHIN_MS)

    page.get_by_label("clip_grad_norm", exact=True).fill("")
    page.get_by_label("early_stopping.patience", exact=True).fill("")
    assert not {"clip_grad_norm", "early_stopping"} & set(spec_of(page))
    expect(page.locator("#planned")).to_contain_text("train", timeout=WITHIN_MS)


def test_a_file_of_ones_own_is_looked_into_and_its_target_chosen(page: Page, tmp_path: Path) -> None:
    rows = [f"{n % 7},{n % 5},{'yes' if n % 2 else 'no'}" for n in range(60)]
    table = tmp_path / "mine.csv"
    table.write_text("\n".join(["width,height,answer", *rows]))
    page.goto("/new")
    expect(page.get_by_label("dataset", exact=True)).to_have_value("digits")
    drop(page, table)

    expect(page.locator("#profile caption")).to_contain_text("mine.csv", timeout=WITHIN_MS)
    expect(page.get_by_label("Predict answer")).to_be_checked()
    page.get_by_label("Predict width").check()
    dataset = spec_of(page)["dataset"]
    assert isinstance(dataset, dict)
    assert (dataset["name"], dataset["target"]) == ("upload", "width")
    expect(page.locator("#planned")).to_contain_text("48 train", timeout=WITHIN_MS)


def test_an_example_is_taken_and_a_part_of_a_plugin_has_its_fields(page: Page) -> None:
    page.route("**/v1/catalog", with_a_plugin)
    page.goto("/new")
    page.get_by_text("Begin with an example").click()
    page.get_by_role("button", name="Take wine-five-folds").click()
    expect(page.get_by_label("dataset", exact=True)).to_have_value("wine")
    assert spec_of(page)["split"] == {"folds": 5, "seed": 0, "stratify": True}
    expect(page.locator("#planned")).to_contain_text("train", timeout=WITHIN_MS)

    page.get_by_label("model", exact=True).select_option("waves")
    expect(page.get_by_text("A net of waves.")).to_be_visible()
    expect(page.get_by_label("depth", exact=True)).to_have_attribute("placeholder", "2")
    page.get_by_label("depth", exact=True).fill("3")
    page.get_by_label("shape", exact=True).select_option(label="saw")
    assert spec_of(page)["model"] == {"name": "waves", "depth": 3, "shape": "saw"}
    expect(page.locator("#planned li").first).to_contain_text("/model", timeout=WITHIN_MS)


def with_a_plugin(route: Route) -> None:
    """The catalogue as it is, and one model that the pages have never heard of."""
    settings = {
        "name": {"const": "waves", "type": "string"},
        "depth": {"type": "integer", "minimum": 1, "default": 2, "description": "How many."},
        "shape": {"enum": ["sine", "saw"], "type": "string", "default": "sine"},
    }
    answer = route.fetch()
    catalog = answer.json()
    catalog["models"].append({"name": "waves", "summary": "A net of waves.", "schema": {"properties": settings}})
    route.fulfill(response=answer, json=catalog)
