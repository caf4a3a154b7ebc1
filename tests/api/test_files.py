"""Specs over files of the allowed folder, and over several datasets: looked into, frozen, protected."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from core import intake
from core.dataset import Profile
from core.intake import Limits
from core.views import DatasetView
from tests.api.uploading import CSV, Looks

Connect = Callable[..., TestClient]


@pytest.fixture(autouse=True)
def looks(monkeypatch: pytest.MonkeyPatch) -> Looks:
    made = Looks()
    monkeypatch.setattr(intake, "inspect_file", made.inspect_file)
    return made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "files"
    made.mkdir()
    (made / "pets.csv").write_bytes(CSV)
    return made


def asked(path: str, **settings: Any) -> dict[str, Any]:
    return {"dataset": {"name": "file", "path": path, "target": "species", **settings}, "model": "mlp"}


def sent(client: TestClient, content: bytes) -> DatasetView:
    return DatasetView.model_validate(client.post("/v1/datasets", files={"file": ("a.csv", content)}).json())


def test_a_job_over_a_file_is_judged_by_one_look_with_the_limits_of_uploads(
    connect: Connect, folder: Path, looks: Looks
) -> None:
    client = connect(files=folder, upload_columns=7)
    answers = [client.post("/v1/jobs", json=asked("pets.csv")) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 202], answers[0].text
    facts = answers[0].json()["spec"]["dataset"]["facts"]
    assert (facts["samples"], facts["classes"], len(facts["sha256"])) == (90, 3, 64)
    assert looks.seen == ["pets.csv"]
    assert looks.limits == [Limits(columns=7)]


def test_what_is_wrong_with_a_file_is_told_beside_the_rest_of_the_spec(
    connect: Connect, folder: Path, looks: Looks
) -> None:
    (folder / "worse.csv").write_bytes(b"bad")
    client = connect(files=folder)
    for path, words in (("../x.csv", "without `..`"), ("pests.csv", "pets.csv"), ("worse.csv", "Row 1 has 6 cells.")):
        answer = client.post("/v1/jobs", json=asked(path) | {"lr": -1})
        told = {error["pointer"]: error["message"] for error in answer.json()["errors"]}
        assert (answer.status_code, set(told)) == (422, {"/dataset/path", "/lr"})
        assert words in told["/dataset/path"]
    assert looks.seen == ["worse.csv"]


def test_a_job_starts_from_the_weights_in_a_file_that_was_looked_into_once(
    connect: Connect, folder: Path, looks: Looks
) -> None:
    (folder / "mine.safetensors").write_bytes(b"weights")
    looks.profile = Profile("weights", "safetensors", 4, parameters=9_610)
    client = connect(files=folder)
    spec = {"dataset": "digits", "model": "mlp", "init_from": {"file": "mine.safetensors", "facts": {"sha256": "lie"}}}
    facts = [client.post("/v1/jobs", json=spec).json()["spec"]["init_from"]["facts"] for _ in range(2)]
    assert facts[0] == facts[1]
    assert (facts[0]["sha256"], facts[0]["bytes"]) == (hashlib.sha256(b"weights").hexdigest(), 7)
    assert looks.seen == ["mine.safetensors"]
    spec["init_from"] = {"file": "yours.safetensors"}
    (told,) = client.post("/v1/jobs", json=spec).json()["errors"]
    assert (told["pointer"], 'Did you mean "mine.safetensors"' in told["message"]) == ("/init_from/file", True)


def test_without_the_setting_no_file_is_read(client: TestClient, looks: Looks) -> None:
    answer = client.post("/v1/jobs", json=asked("pets.csv"))
    assert answer.status_code == 422
    assert "TRAINWIRE_FILES" in answer.json()["errors"][0]["message"]
    assert looks.seen == []


def test_a_long_look_holds_nobody_else_up(connect: Connect, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looks, begun, go_on = Looks(), threading.Event(), threading.Event()

    def inspect_file(path: Path, *, filename: str, limits: Limits) -> Any:
        begun.set()
        assert go_on.wait(30)
        return looks.inspect_file(path, filename=filename, limits=limits)

    monkeypatch.setattr(intake, "inspect_file", inspect_file)
    client = connect(files=folder)
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(client.post, "/v1/jobs", json=asked("pets.csv"))
        assert begun.wait(30)
        assert client.get("/v1/jobs").json()["data"] == []
        go_on.set()
        assert waiting.result().status_code == 202


def test_a_dataset_that_validates_a_job_cannot_be_deleted_under_it(client: TestClient) -> None:
    whole, held = sent(client, CSV), sent(client, CSV + b"3,cat\n")
    dataset = {"name": "upload", "id": whole.id, "validation": held.id, "target": "species"}
    job = client.post("/v1/jobs", json={"dataset": dataset, "model": "mlp"})
    assert job.status_code == 202, job.text
    assert job.json()["spec"]["dataset"]["facts"]["apart"]["validation"]["sha256"] == held.sha256
    refused = client.delete(held.links.self)
    assert (refused.status_code, job.json()["id"] in refused.json()["detail"]) == (409, True)
    client.post(job.json()["links"]["cancel"])
    assert client.delete(held.links.self).status_code == 204
