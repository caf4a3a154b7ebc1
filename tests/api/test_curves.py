"""Curves of many jobs in one request: the same figures as each job's own rows, thinned, gaps kept."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from fastapi.testclient import TestClient

from core.events import EpochDone
from tests.api.playing import Play, epoch

PATH = "/v1/metrics"


def test_curves_are_the_figures_of_each_job_in_the_order_asked_for(client: TestClient, play: Play) -> None:
    jobs = [play.ended(epochs=3), play.running(), play.ended(epochs=5)]
    asked = {"jobs": ",".join(job.id for job in jobs), "figures": "val_loss,val_accuracy,nothing"}
    answer = client.get(PATH, params=asked)
    told = answer.json()["data"]
    assert [one["job"] for one in told] == [job.id for job in jobs]
    assert [one["status"] for one in told] == ["succeeded", "running", "succeeded"]
    for one in told:
        rows = client.get(f"/v1/jobs/{one['job']}/metrics").json()["data"]
        assert one["epochs"] == [row["epoch"] for row in rows]
        names = ("val_loss", "val_accuracy", "nothing")
        assert one["figures"] == {name: [row.get(name) for row in rows] for name in names}
    unchanged = client.get(PATH, params=asked, headers={"If-None-Match": answer.headers["ETag"]})
    assert (unchanged.status_code, unchanged.content) == (304, b"")


def test_folds_and_seeds_are_told_where_they_are_asked_for(client: TestClient, play: Play) -> None:
    job = play.running()
    rows = [EpochDone(replace(epoch(number).row, fold=1 + number // 3), best=True) for number in range(1, 5)]
    play.tell(job, *rows)
    (told,) = client.get(PATH, params={"jobs": job.id, "figures": "fold,seed"}).json()["data"]
    assert told["figures"] == {"fold": [1, 1, 2, 2], "seed": [None] * 4}


def test_a_number_that_json_cannot_hold_is_null_and_named(client: TestClient, play: Play) -> None:
    job = play.running()
    play.tell(job, epoch(1), epoch(2, loss=math.nan), epoch(3, loss=-math.inf))
    (told,) = client.get(PATH, params={"jobs": job.id, "figures": "train_loss"}).json()["data"]
    assert told["figures"] == {"train_loss": [1.0, None, None]}
    assert told["nonfinite"] == {"train_loss": {"2": "nan", "3": "-inf"}}


def test_long_jobs_are_thinned_each_by_itself(client: TestClient, play: Play) -> None:
    jobs = [play.running(), play.running()]
    for peak, job in zip((137, 611), jobs, strict=True):
        play.tell(job, *[epoch(number, loss=9.0 if number == peak else 1.0) for number in range(1, 1001)])
    found = client.get(PATH, params={"jobs": ",".join(job.id for job in jobs), "max_points": 20}).json()["data"]
    for peak, told in zip((137, 611), found, strict=True):
        assert len(told["epochs"]) <= 20
        assert {1, peak, 1000} <= set(told["epochs"])
        assert len(told["figures"]["train_loss"]) == len(told["epochs"])


def test_a_deleted_job_is_left_out_and_an_unknown_one_refused(client: TestClient, play: Play) -> None:
    gone, there = play.ended(), play.ended()
    play.store.delete(gone.id)
    found = client.get(PATH, params={"jobs": f"{gone.id},{there.id}"}).json()["data"]
    assert [one["job"] for one in found] == [there.id]
    assert client.get(PATH, params={"jobs": f"{there.id},job_{'0' * 32}"}).status_code == 404


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("", "/query/jobs"),
        ("jobs=", "/query/jobs"),
        ("jobs={id}&figures=,", "/query/figures"),
        ("jobs={id}&figures=a,b,c,d,e,f,g,h,i", "/query/figures"),
        ("jobs={id}&max_points=1", "/query/max_points"),
    ],
)
def test_what_makes_no_sense_is_refused_by_its_name(client: TestClient, play: Play, query: str, pointer: str) -> None:
    answer = client.get(f"{PATH}?{query.format(id=play.queued().id)}")
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)


def test_jobs_are_found_by_a_part_of_their_name(client: TestClient, play: Play) -> None:
    one, _ = play.queued(name="Tried again"), play.queued(name="other")
    assert [job["id"] for job in client.get("/v1/jobs?q=tried").json()["data"]] == [one.id]
    assert len(client.get("/v1/jobs?q=").json()["data"]) == 2
    assert client.get(f"/v1/jobs?q={'x' * 201}").status_code == 422
