"""The page of a comparison: only what differs, the best marked, and the address says which jobs."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from fastapi.testclient import TestClient

from api.pages.settings import differing
from core.events import EpochDone
from tests.api.playing import Play, epoch


def test_only_settings_that_are_not_all_the_same_are_shown() -> None:
    specs = [
        {"name": "a", "lr": 0.1, "model": {"name": "mlp", "hidden": [8]}, "epochs": 5},
        {"name": "b", "lr": 0.2, "model": {"name": "linear"}, "epochs": 5},
    ]
    assert differing(specs) == {"lr": [0.1, 0.2], "model": ["mlp", "linear"], "model.hidden": [[8], None]}


def test_what_goes_with_the_name_of_a_part_is_not_told_beside_it(client: TestClient, play: Play) -> None:
    ids = [
        play.queued(optimizer=optimizer).id
        for optimizer in ("adam", {"name": "sgd", "momentum": 0.9}, {"name": "sgd", "momentum": 0.0})
    ]
    page = client.get(f"/compare?jobs={','.join(ids)}").text

    assert re.findall(r'<th scope="col">([\w.]+)</th>', page) == [
        "Job",
        "Status",
        "optimizer",
        "optimizer.momentum",
    ]


def test_jobs_stand_beside_each_other_and_the_best_figure_is_marked(client: TestClient, play: Play) -> None:
    good, bad = play.running(lr=0.1), play.running(lr=0.2, name="<b>worse</b>")
    play.tell(good, epoch(1, loss=0.5), epoch(2, loss=0.25))
    play.tell(bad, epoch(1, loss=0.75))
    page = client.get("/compare", params={"jobs": f"{good.id},job_x,{bad.id}"}).text
    found: list[tuple[str, str]] = re.findall(r'<tr id="(job_\w+)".*?running</span></td>(.*?)</tr>', page, re.DOTALL)
    rows = {job_id: " ".join(re.sub(r"<[^>]+>", " ", row).split()) for job_id, row in found}

    assert re.findall(r'<th scope="col">([\w.]+)</th>', page) == ["Job", "Status", "lr"]
    assert rows[good.id] == "0.1 2 0.25 (best) 0.275 (best) 0.9"
    assert rows[bad.id] == "0.2 1 0.75 0.825 0.9"
    assert "Not here (any more): <span" in page
    assert "job_x" in page
    assert "<b>worse" not in page


def test_more_is_better_for_a_metric_that_rises(client: TestClient, play: Play) -> None:
    low, high = play.running(lr=0.1), play.running(lr=0.2)
    for job, accuracy in ((low, 0.5), (high, 0.75)):
        row = replace(epoch(1).row, metrics={"val_accuracy": accuracy})
        play.tell(job, EpochDone(row, best=True))
    page = client.get(f"/compare?jobs={low.id},{high.id}").text

    assert re.findall(r'best">([\d.]+)', page) == ["0.75"]


def test_without_jobs_the_page_says_how_to_choose_some(client: TestClient) -> None:
    answer = client.get("/compare")
    assert answer.status_code == 200
    assert "Choose some jobs" in answer.text


def test_jobs_may_be_named_one_by_one_too(client: TestClient, play: Play) -> None:
    ids = [play.queued().id, play.queued().id]
    page = client.get(f"/compare?jobs={ids[0]}&jobs={ids[1]}").text

    assert re.findall(r'<tr id="(\w+)"', page) == ids
    assert "whose settings are all the same" in page


def test_how_many_jobs_are_left_out_of_too_many_is_said(
    client: TestClient, play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [play.queued().id for _ in range(3)]
    whole = client.get(f"/compare?jobs={','.join(ids)}").text
    monkeypatch.setattr("api.pages.comparing.MOST_COMPARED", 2)
    cut = client.get(f"/compare?jobs={','.join(ids)}").text

    assert re.findall(r'<tr id="(\w+)"', whole) == ids
    assert "left out" not in whole
    assert re.findall(r'<tr id="(\w+)"', cut) == ids[:2]
    assert "1 of the jobs named in the address are left out: 2 at most are compared." in cut
