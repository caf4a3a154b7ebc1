"""Predictions over HTTP: by the weights of a job that has succeeded, and of no other."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from api.context import Api
from core.artifacts import placed
from core.dataset import Column, Profile
from core.files import artifact
from core.loop import train
from core.settings import Settings
from core.spec import parse_spec
from core.store import Store, Upload
from core.views import JobView, PredictionsView
from tests.api.playing import WORKER, Play, finished, started

SPEC: dict[str, Any] = {"dataset": "iris", "model": "linear", "epochs": 1}
ROWS = {"rows": [[5.1, 3.5, 1.4, 0.2]]}


def path(job_id: str) -> str:
    return f"/v1/jobs/{job_id}/predict"


@pytest.fixture
def job(play: Play, settings: Settings) -> str:
    """A job that has really been trained."""
    running = play.running(**SPEC)
    folder = settings.artifacts / running.id / "1"
    for _ in train(parse_spec(SPEC), folder=folder):
        pass
    names = {"model.safetensors": "application/octet-stream", "model.json": "application/json"}
    files = [artifact(folder / name, media_type=kind) for name, kind in names.items()]
    play.tell(running, finished(*placed(play.claims[running.id], files)))
    return running.id


def test_a_row_is_predicted_and_it_is_told_which_weights_did(client: TestClient, job: str) -> None:
    answer = client.post(path(job), json=ROWS)
    assert answer.status_code == 200, answer.text
    found = PredictionsView.model_validate_json(answer.content)
    assert set(found.data[0]["probabilities"]) == {"setosa", "versicolor", "virginica"}
    (weights,) = (file for file in client.get(f"/v1/jobs/{job}/artifacts").json()["data"] if "safe" in file["name"])
    assert (found.weights.job, found.weights.epoch, found.weights.sha256) == (job, 1, weights["sha256"])
    header = "sepal length (cm),sepal width (cm),petal length (cm),petal width (cm)\n5.1,3.5,1.4,0.2\n"
    assert client.post(path(job), content=header, headers={"Content-Type": "text/csv"}).json() == answer.json()
    wrong = client.post(path(job), json={"rows": [[1, 2], [1, 2, 3, 4], "x"]})
    assert wrong.status_code == 422
    assert wrong.json()["code"] == "invalid_rows"
    assert wrong.json()["detail"] == "There are 2 problems."
    assert [one["pointer"] for one in wrong.json()["errors"]] == ["/rows/0", "/rows/2"]


@pytest.fixture
def upload(store: Store) -> str:
    """Rows as iris has them."""
    names = ("sepal length (cm)", "sepal width (cm)", "petal length (cm)", "petal width (cm)")
    columns = tuple(Column(name, "number", missing=0, distinct=9) for name in names)
    profile = Profile("table", "csv", 1_000, columns)
    dataset, _ = store.add_dataset(Upload("5a" * 32, 10, "flowers.csv", profile))
    return dataset.id


def test_an_upload_is_predicted_by_a_job_of_its_own(client: TestClient, job: str, upload: str, store: Store) -> None:
    asked = {"dataset": upload, "format": "jsonl", "labels": {"team": "a"}}
    answer = client.post(f"/v1/jobs/{job}/predictions", json=asked, headers={"Idempotency-Key": "one"})
    assert answer.status_code == 202, answer.text
    made = JobView.model_validate_json(answer.content)
    assert answer.headers["Location"] == f"/v1/jobs/{made.id}"
    assert (made.status, made.name, made.labels) == ("queued", "predict iris-linear", {"team": "a"})
    wanted = made.spec["predict"]
    assert (wanted["job"], wanted["dataset"], wanted["facts"]["rows"]) == (job, upload, 1_000)
    again = client.post(f"/v1/jobs/{job}/predictions", json=asked, headers={"Idempotency-Key": "one"})
    assert (again.json()["id"], again.headers["Idempotent-Replayed"]) == (made.id, "true")
    for needed in (f"/v1/jobs/{job}", f"/v1/datasets/{upload}"):
        refused = client.delete(needed)
        assert (refused.status_code, made.id in refused.json()["detail"]) == (409, True), refused.text
    forked = client.post(f"/v1/jobs/{made.id}/fork", json={})
    assert (forked.status_code, forked.json()["detail"]) == (
        409,
        f"Job {made.id} predicts and has no epochs; only a job that trains can be forked.",
    )
    assert client.post(f"/v1/jobs/{made.id}/cancel").status_code == 200
    retried = client.post(f"/v1/jobs/{made.id}/retry").json()
    assert (retried["spec"], retried["parent"]) == (made.spec, {"id": made.id, "epoch": 0})
    claim = store.claim(WORKER)
    assert claim is not None
    assert (claim.job_id, claim.spec) == (retried["id"], made.spec)
    store.record(claim, [replace(started(), predict_samples=1_000), finished()])
    log = client.get(f"/v1/jobs/{claim.job_id}/events").json()["data"]
    assert [one["data"]["predict_samples"] for one in log if one["type"] == "started"] == [1_000]
    for question in (path(claim.job_id), f"/v1/jobs/{claim.job_id}/export", f"/v1/jobs/{claim.job_id}/predictions"):
        body = {"export": {"format": "onnx"}, "predictions": {"dataset": upload}}.get(question.rpartition("/")[2], ROWS)
        nothing = client.post(question, json=body)
        assert (nothing.status_code, "left no weights" in nothing.json()["detail"]) in {(404, True), (409, True)}
    assert client.delete(f"/v1/datasets/{upload}").status_code == 204


@pytest.mark.parametrize(
    ("asked", "pointer", "words"),
    [
        ({}, "/dataset", "required"),
        ({"dataset": "ds_none"}, "/dataset", "There is no dataset ds_none"),
        ({"dataset": "ds_1", "format": "xlsx"}, "/format", "csv"),
        ({"dataset": "ds_1", "rows": []}, "/rows", "rows"),
        ({"dataset": "ds_1", "resources": {"threads": 0}}, "/resources/threads", "0"),
    ],
)
def test_what_is_wrong_with_such_a_wish_is_named(
    client: TestClient, job: str, asked: dict[str, Any], pointer: str, words: str
) -> None:
    answer = client.post(f"/v1/jobs/{job}/predictions", json=asked)
    assert answer.status_code == 422
    (problem,) = answer.json()["errors"]
    assert (problem["pointer"], words in problem["message"]) == (pointer, True), problem


def test_an_upload_that_does_not_fit_is_told_at_once(client: TestClient, job: str, store: Store) -> None:
    profile = Profile("arrays", "npy", 5, shape=(3,))
    upload = store.add_dataset(Upload("6b" * 32, 10, "x.npy", profile))[0].id
    answer = client.post(f"/v1/jobs/{job}/predictions", json={"dataset": upload})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_spec")
    assert answer.json()["errors"][0]["message"] == "Its samples have the shape [3]; the model takes [4]."


def test_nothing_runs_before_the_first_prediction_and_nothing_stays_behind_the_last(
    make_app: Callable[..., FastAPI], job: str
) -> None:
    with TestClient(make_app()) as client:
        api: Api = client.app.state.api  # type: ignore[attr-defined]
        assert client.get(f"/v1/jobs/{job}").status_code == 200
        assert not api.predictor.pid
        answer = client.post(path(job), json=ROWS)
        assert answer.status_code == 200, answer.text
        pid = api.predictor.pid
        assert client.get("/metrics").status_code == client.get("/healthz").status_code == 200
        assert pid is not None
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_job_without_weights_cannot_predict(client: TestClient, play: Play, store: Store) -> None:
    running, failed, gone, queued = play.running().id, play.failed().id, play.ended().id, play.queued().id
    store.delete(gone)
    for job_id, words in ((queued, "queued: it has no weights yet"), (running, "running"), (failed, "left no weights")):
        answer = client.post(path(job_id), json=ROWS)
        assert (answer.status_code, words in answer.json()["detail"]) == (409, True), answer.text
    assert client.post(path(gone), json=ROWS).status_code == 410
    assert client.post(path("job_none"), json=ROWS).status_code == 404


def test_weights_that_are_lost_are_told(client: TestClient, job: str, settings: Settings) -> None:
    (settings.artifacts / job / "1" / "model.safetensors").unlink()
    answer = client.post(path(job), json=ROWS)
    assert answer.status_code == 404
    assert "artifacts folder" in answer.json()["detail"]


def test_a_body_is_bounded_and_of_a_known_type(connect: Callable[..., TestClient], job: str) -> None:
    client = connect(predict_body_bytes=2_000_000)
    assert client.post(path(job), content="x", headers={"Content-Type": "text/html"}).status_code == 415
    for size, status in ((1_500_000, 422), (2_500_000, 413)):
        answer = client.post(path(job), content=b" " * size, headers={"Content-Type": "text/csv"})
        assert answer.status_code == status
