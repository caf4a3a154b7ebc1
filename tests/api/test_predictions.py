"""Predictions over HTTP: by the weights of a job that has succeeded, and of no other."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from api.context import Api
from core.files import artifact
from core.loop import train
from core.settings import Settings
from core.spec import parse_spec
from core.store import Store
from core.views import PredictionsView
from tests.api.playing import Play, finished

SPEC: dict[str, Any] = {"dataset": "iris", "model": "linear", "epochs": 1}
ROWS = {"rows": [[5.1, 3.5, 1.4, 0.2]]}


def path(job_id: str) -> str:
    return f"/v1/jobs/{job_id}/predict"


@pytest.fixture
def job(play: Play, settings: Settings) -> str:
    """A job that has really been trained."""
    running, folder = play.running(), settings.artifacts
    for _ in train(parse_spec(SPEC), folder=folder):
        pass
    names = {"model.safetensors": "application/octet-stream", "model.json": "application/json"}
    files = [artifact(folder / name, media_type=kind) for name, kind in names.items()]
    play.tell(running, finished(*files))
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
    (settings.artifacts / "model.safetensors").unlink()
    answer = client.post(path(job), json=ROWS)
    assert answer.status_code == 404
    assert "artifacts folder" in answer.json()["detail"]


def test_a_body_is_bounded_and_of_a_known_type(connect: Callable[..., TestClient], job: str) -> None:
    client = connect(predict_body_bytes=2_000_000)
    assert client.post(path(job), content="x", headers={"Content-Type": "text/html"}).status_code == 415
    for size, status in ((1_500_000, 422), (2_500_000, 413)):
        answer = client.post(path(job), content=b" " * size, headers={"Content-Type": "text/csv"})
        assert answer.status_code == status
