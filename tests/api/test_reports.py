"""A job's report over HTTP: itself, pictures of it, and why there is none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api.examples import REPORTED
from core.job import Artifact, Job
from core.settings import Settings
from core.wire import dumps
from tests.api.playing import Play, finished


@pytest.fixture
def job(play: Play, settings: Settings) -> Job:
    running = play.running()
    folder = settings.artifacts / running.id / "1"
    folder.mkdir(parents=True)
    (folder / "report.json").write_text(dumps(REPORTED))
    file = Artifact("report.json", f"{running.id}/1/report.json", "application/json", 9, "5" * 64)
    play.tell(running, finished(file))
    return play.store.job(running.id)


@pytest.fixture
def path(job: Job) -> str:
    return f"/v1/jobs/{job.id}/report"


def test_the_report_comes_as_it_was_written_under_its_sha256(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.json() == REPORTED
    assert answer.headers["ETag"] == f'"{"5" * 64}"'
    assert client.get(path, headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304


def test_a_picture_is_the_same_bytes_each_time(client: TestClient, path: str) -> None:
    first, again = (client.get(path, params={"format": "svg", "figure": "confusion"}) for _ in range(2))
    assert first.headers["Content-Type"] == "image/svg+xml"
    assert first.content.startswith(b"<?xml")
    assert first.content == again.content
    known = {"If-None-Match": first.headers["ETag"]}
    assert client.get(path, params={"format": "svg", "figure": "confusion"}, headers=known).status_code == 304
    assert client.get(path, headers=known).status_code == 200, "the tag of the picture is not that of the report"


def test_the_most_telling_picture_comes_unasked(client: TestClient, path: str) -> None:
    answer = client.get(path, params={"format": "png"})
    assert (answer.headers["Content-Type"], answer.content[:4]) == ("image/png", b"\x89PNG")


def test_a_figure_that_the_report_has_not_is_named_with_those_it_has(client: TestClient, path: str) -> None:
    answer = client.get(path, params={"format": "svg", "figure": "residuals"})
    assert answer.status_code == 422
    assert "confusion, calibration, f1" in answer.json()["detail"]
    assert answer.json()["errors"][0]["pointer"] == "/query/figure"


def test_without_matplotlib_a_picture_is_a_422_with_the_remedy(
    client: TestClient, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.routes.reports.is_here", lambda _: False)
    answer = client.get(path, params={"format": "png"})
    assert answer.status_code == 422
    assert 'pip install "trainwire[report]"' in answer.json()["detail"]
    assert client.get(path).status_code == 200


def test_a_job_without_a_report_says_why(client: TestClient, play: Play) -> None:
    told = {}
    for name, one in {"running": play.running(), "failed": play.failed(), "ended": play.ended()}.items():
        answer = client.get(f"/v1/jobs/{one.id}/report")
        told[name] = answer.status_code, json.loads(answer.content)["detail"]
    assert told["running"][0] == 409
    assert "this job is running" in told["running"][1]
    assert told["failed"] == (404, "Only a job that succeeded has a report, and this one is failed.")
    assert told["ended"][0] == 404
    assert "holds nothing back" in told["ended"][1]


def test_a_report_whose_file_is_gone_is_a_404(client: TestClient, path: str, job: Job, settings: Settings) -> None:
    Path(settings.artifacts / job.id / "1" / "report.json").unlink()
    assert client.get(path).status_code == 404
