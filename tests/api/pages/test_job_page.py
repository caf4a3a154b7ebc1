"""The page of one job as the service draws it: whole without JavaScript, and what a user typed is never markup."""

from __future__ import annotations

import html
import re
from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient

from api.pages.job_facts import SHOWN_EPOCHS
from core.dataset import Column, Profile
from core.spec.predicting import Predict, PredictFacts, PredictSpec
from core.store import Store, Upload
from tests.api.playing import Play, checkpointed, diverged, epoch, lines, step

Connect = Callable[..., TestClient]


def text_of(client: TestClient, job_id: str) -> str:
    """The page without its tags, in one line."""
    page = client.get(f"/jobs/{job_id}")
    assert page.status_code == 200, page.text
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.text))


def test_figures_progress_and_epochs_are_there_without_javascript(client: TestClient, play: Play) -> None:
    job = play.running(name="my job", labels={"team": "a"})
    play.tell(job, epoch(1), epoch(2), step(3, epoch=3), lines("hello from the run"))
    told = text_of(client, job.id)

    assert "my job Pause Cancel Clone and change running" in told
    assert "epoch 2 of 5 about 1.5 s left" in told
    assert "train loss 0.5 0.5" in told
    assert "team: a" in told
    assert "hello from the run" in told
    assert "epoch train loss val loss val accuracy lr epoch s samples per s 2 0.5 0.55" in told


def test_a_job_that_predicts_has_a_page_too(client: TestClient, play: Play, store: Store) -> None:
    facts = PredictFacts(folder="job_a/1", card="a" * 64, weights="b" * 64, sha256="c" * 64, format="csv", rows=12_000)
    profile = Profile("table", "csv", 12_000, (Column("x", "number", missing=0, distinct=9),))
    upload, _ = store.add_dataset(Upload("c" * 64, 10, "rows.csv", profile))
    trained = play.ended()
    wanted = Predict(job=trained.id, dataset=upload.id, format="csv", facts=facts)
    job = store.add(PredictSpec(name="many rows", predict=wanted))
    told = text_of(client, job.id)
    assert f"predicts 12,000 rows of {upload.id} by the weights of {trained.id}" in told
    assert f"/v1/jobs/{trained.id}/predictions" in told
    assert f"trainwire predict {trained.id} {upload.id} --watch" in told
    assert "Clone and change" not in told
    assert "many rows" in client.get("/").text
    assert client.get(f"/compare?jobs={job.id},{trained.id}").status_code == 200
    assert "has no spec to train by" in client.get(f"/new?from={job.id}").text


def test_only_the_last_epochs_are_listed_and_the_page_says_where_all_are(client: TestClient, play: Play) -> None:
    job = play.running(epochs=200)
    play.tell(job, *(epoch(number) for number in range(1, 151)))
    page = client.get(f"/jobs/{job.id}").text

    assert re.findall(r'<tr id="epoch-(\d+)"', page) == [str(number) for number in range(150, 150 - SHOWN_EPOCHS, -1)]
    assert f"/v1/jobs/{job.id}/metrics?format=csv" in page


def test_a_failure_says_what_to_change(client: TestClient, play: Play) -> None:
    job = play.running()
    play.tell(job, epoch(1), diverged())
    told = text_of(client, job.id)

    assert "failed diverged" in told
    assert "The cost became NaN in epoch 2. Lower lr." in told


def test_a_figure_that_is_no_number_is_named(client: TestClient, play: Play) -> None:
    job = play.running()
    play.tell(job, epoch(1, loss=float("nan"), best=False))

    assert "1 nan nan 0.9" in text_of(client, job.id)


@pytest.mark.parametrize(
    ("status", "verbs"),
    [
        ("queued", ["pause", "cancel"]),
        ("running", ["pause", "cancel"]),
        ("paused", ["resume", "cancel"]),
        ("succeeded", []),
        ("failed", ["retry"]),
        ("cancelled", ["retry"]),
    ],
)
def test_only_what_the_status_allows_is_offered(client: TestClient, play: Play, status: str, verbs: list[str]) -> None:
    jobs = {"succeeded": play.ended, "failed": play.failed, "running": play.running}
    job = jobs.get(status, play.queued)()
    if status in {"paused", "cancelled"}:
        client.post(f"/v1/jobs/{job.id}/{ {'paused': 'pause', 'cancelled': 'cancel'}[status] }")

    assert re.findall(r'data-verb="(\w+)"', client.get(f"/jobs/{job.id}").text) == verbs


def test_settings_show_what_was_chosen_and_what_differs_from_the_parent(client: TestClient, play: Play) -> None:
    parent = play.running(lr=0.01)
    play.tell(parent, epoch(1), checkpointed("folder", epoch=1))
    assert "model.hidden [8]" in text_of(client, parent.id)
    assert "its parent's" not in text_of(client, parent.id)

    made = client.post(
        f"/v1/jobs/{parent.id}/fork", json={"epoch": 1, "patch": {"lr": 0.5, "loader": {"shuffle": False}}}
    )
    told = text_of(client, made.json()["id"])
    assert "lr 0.5 0.01 loader.shuffle false true" in told
    assert "behind epoch 1" in told


def test_the_same_job_again_is_the_shortest_spec_that_means_the_same(client: TestClient, play: Play) -> None:
    job = play.queued(name="it's", optimizer={"name": "sgd", "momentum": 0.9})
    page = html.unescape(client.get(f"/jobs/{job.id}").text)
    body = re.search(r"<<'JSON'\n(.*?)\nJSON", page, re.DOTALL)

    assert body is not None
    again = client.post("/v1/jobs", content=body[1], headers={"Content-Type": "application/json"})
    assert again.json()["spec"] == job.spec
    assert '"shuffle"' not in body[1]


def test_what_a_user_typed_is_text(client: TestClient, play: Play) -> None:
    evil = '</pre><img src=x onerror="alert(1)">{{7*7}}'
    job = play.running(name=evil, labels={"a": evil})
    play.tell(job, lines(evil))
    page = client.get(f"/jobs/{job.id}").text

    assert "<img src=x" not in page
    assert page.count("&lt;img src=x") >= 4
    assert "{{7*7}}" in page


def test_the_page_runs_nothing_inline_and_asks_no_other_host(client: TestClient, play: Play) -> None:
    answer = client.get(f"/jobs/{play.ended().id}")
    policy = answer.headers["Content-Security-Policy"]

    assert "script-src" not in policy, "scripts fall under default-src"
    assert policy.startswith("default-src 'self';")
    assert "unsafe-eval" not in policy
    assert re.findall(r"<script(?![^>]*\bsrc=)|\bstyle=|\bon\w+=", answer.text) == []
    assert set(re.findall(r"https?://[a-z0-9.:-]+", answer.text)) == {"http://testserver"}


def test_an_unknown_job_is_a_page_too(client: TestClient, play: Play) -> None:
    job = play.ended()
    client.delete(f"/v1/jobs/{job.id}")
    answers = {name: client.get(f"/jobs/{name}") for name in ("job_x", f"job_{'0' * 32}", job.id)}

    assert [answer.status_code for answer in answers.values()] == [404, 404, 410]
    assert all("text/html" in answer.headers["Content-Type"] for answer in answers.values())
    assert all("/" in re.findall(r'href="([^"]+)"', answer.text) for answer in answers.values())


def test_behind_a_key_there_is_nothing_to_see_without_it(connect: Connect, play: Play) -> None:
    job = play.ended(name="hidden-name")
    locked = connect(api_key="k")
    shut, known = (locked.get(f"/jobs/{name}") for name in (f"job_{'0' * 32}", job.id))

    assert (shut.status_code, shut.text.replace("0" * 32, "")) == (200, known.text.replace(job.id[4:], ""))
    assert "hidden-name" not in known.text
    opened = locked.get(f"/jobs/{job.id}", headers={"Authorization": "Bearer k"}).text
    assert "hidden-name" in opened
    assert "$TRAINWIRE_API_KEY" in opened
