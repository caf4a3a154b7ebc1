"""The page for a new job as the service draws it: a spec to begin with, and the examples."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient

from api.pages.gallery import gallery
from core.spec import parse_spec
from tests.api.playing import Play

EXAMPLES = Path(__file__).parents[3] / "examples"
Connect = Callable[..., TestClient]


def spec_on(page: str) -> dict[str, Any]:
    """The spec in the page's text field."""
    found = re.search(r'<textarea id="spec"[^>]*>(.*?)</textarea>', page, re.DOTALL)
    assert found is not None
    spec: dict[str, Any] = json.loads(html.unescape(found[1]))
    return spec


def test_a_new_job_begins_with_an_example(client: TestClient) -> None:
    page = client.get("/new").text

    assert client.post("/v1/jobs/plan", json=spec_on(page)).status_code == 200
    assert spec_on(page)["name"] == "digits-mlp"


def test_every_example_that_needs_no_upload_is_there_with_its_sentence(client: TestClient) -> None:
    page = html.unescape(client.get("/new").text)
    shown = [example for each in gallery().values() for example in each]

    stored = [json.loads(path.read_text()) for path in sorted(EXAMPLES.glob("[0-9]*.json"))]
    assert [example.spec for example in shown] == stored
    for example in shown:
        assert example.shows in page
        assert f'id="{example.name}"' in page
        assert parse_spec(dict(example.spec)).name == example.name


def test_a_new_job_may_begin_as_another_one_was(client: TestClient, play: Play) -> None:
    job = play.queued(lr=0.25, name="</textarea><b>old</b>")
    page = client.get(f"/new?from={job.id}").text

    assert spec_on(page) == {
        "dataset": "digits",
        "model": {"name": "mlp", "hidden": [8]},
        "lr": 0.25,
        "epochs": 5,
        "name": job.name,
    }
    assert "<b>old" not in page
    assert f'href="/new?from={job.id}"' in client.get(f"/jobs/{job.id}").text


def test_a_job_that_is_not_there_is_named_and_the_form_is_there_still(client: TestClient) -> None:
    page = client.get("/new?from=job_x")

    assert page.status_code == 200
    assert "There is no job" in page.text
    assert spec_on(page.text)


def test_behind_a_key_the_form_tells_nothing_of_a_job(connect: Connect, play: Play) -> None:
    job = play.queued(name="hidden-name")
    assert "hidden-name" not in connect(api_key="k").get(f"/new?from={job.id}").text
