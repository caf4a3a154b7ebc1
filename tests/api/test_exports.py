"""Exports over HTTP: made once, listed among the artifacts, and gone with their job."""

from __future__ import annotations

import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from core import housekeeping
from core.errors import ExportRefused, StorageFull, Unavailable
from core.exporting import formats, keeping
from core.exporting.apart import Limits, Task
from core.housekeeping import Housekeeper
from core.job import Artifact, Job
from core.settings import Settings
from core.store import Store
from tests.api.playing import Play, finished

GRAPH = b"a graph"


class Maker:
    """Stands for the process that exports: writes a few bytes, or raises what it is given."""

    def __init__(self) -> None:
        self.asked: list[Task] = []
        self.error: Exception | None = None
        self.meanwhile = threading.Event()
        self.meanwhile.set()
        self.begun = threading.Event()

    def __call__(self, task: Task, draft: Path, *, limits: Limits) -> None:
        assert limits == Limits()
        self.asked.append(task)
        self.begun.set()
        assert self.meanwhile.wait(10)
        if self.error is not None:
            raise self.error
        draft.write_bytes(GRAPH)


@pytest.fixture
def maker(monkeypatch: pytest.MonkeyPatch) -> Maker:
    made = Maker()
    monkeypatch.setattr(keeping, "make", made)
    return made


@dataclass(frozen=True)
class Scene:
    """A job that succeeded and left its weights, its folder, and who asks for exports of it."""

    client: TestClient
    job: Job
    folder: Path

    def ask(self, wanted: str = "pt2") -> tuple[int, dict[str, Any]]:
        return ask(self.client, self.job, wanted)

    @property
    def exports(self) -> list[str]:
        return sorted(path.name for path in (self.folder / "exports").iterdir())


@pytest.fixture
def scene(client: TestClient, play: Play, settings: Settings) -> Scene:
    job = play.running()
    path = f"{job.id}/1/model.safetensors"
    play.tell(job, finished(Artifact("model.safetensors", path, "application/octet-stream", 7, "ab" * 32)))
    return Scene(client, job, settings.artifacts / job.id)


def ask(client: TestClient, job: Job, wanted: str = "pt2") -> tuple[int, dict[str, Any]]:
    answer = client.post(f"/v1/jobs/{job.id}/export", json={"format": wanted})
    return answer.status_code, answer.json()


def test_a_model_is_exported_once_and_listed(scene: Scene, maker: Maker) -> None:
    (status, first), (then, again) = scene.ask(), scene.ask()
    assert (status, then) == (201, 200)
    assert first == again
    assert first["sha256"] == hashlib.sha256(GRAPH).hexdigest()
    assert [task.model for task in maker.asked] == [scene.folder / "1"]
    listed = scene.client.get(f"/v1/jobs/{scene.job.id}/artifacts").json()["data"]
    assert [file["name"] for file in listed] == ["model.pt2", "model.safetensors"]
    assert scene.client.get(first["url"]).content == GRAPH
    part = scene.client.get(first["url"], headers={"Range": "bytes=2-"})
    assert (part.status_code, part.content) == (206, GRAPH[2:])


def test_the_weights_are_there_already(scene: Scene, maker: Maker) -> None:
    status, file = scene.ask("safetensors")
    assert (status, file["name"], maker.asked) == (200, "model.safetensors", [])


def test_the_curves_of_every_ended_job_are_a_file_too(
    client: TestClient, play: Play, maker: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed, running, nothing = play.failed(after=2), play.running(), play.queued()
    status, file = ask(client, failed, "tensorboard")
    assert (status, file["name"]) == (201, "events.out.tfevents.trainwire"), file
    curves = maker.asked[0].curves
    assert curves is not None
    assert [(row["epoch"], row["train_loss"]) for _, row in curves["rows"]] == [(1, 1.0), (2, 0.5)]
    assert curves["spec"] == client.get(f"/v1/jobs/{failed.id}").json()["spec"]
    assert ask(client, failed, "tensorboard") == (200, file)
    client.post(f"/v1/jobs/{nothing.id}/cancel")
    for job, words in ((running, "its curves are exported once it has ended"), (nothing, "it has no curves")):
        status, problem = ask(client, job, "tensorboard")
        assert (status, words in problem["detail"]) == (409, True), problem
    monkeypatch.setattr(formats, "is_here", lambda package: package != "tensorboard")
    status, problem = ask(client, play.failed(), "tensorboard")
    assert (status, problem["code"]) == (422, "export_refused")
    assert 'pip install "trainwire[tensorboard]"' in str(problem)


def test_two_who_ask_at_once_get_one_file(scene: Scene, maker: Maker) -> None:
    maker.meanwhile.clear()
    with ThreadPoolExecutor(2) as both:
        answers = [both.submit(scene.ask) for _ in range(2)]
        assert maker.begun.wait(10)
        maker.meanwhile.set()
        told = [answer.result() for answer in answers]
    assert sorted(status for status, _ in told) == [200, 201]
    assert told[0][1] == told[1][1]
    assert len(maker.asked) == 1


@pytest.mark.parametrize(
    ("error", "answer"),
    [
        (ExportRefused("torch.export cannot follow this model.", param="/format"), (422, "export_refused")),
        (Unavailable("The export took more than 300 s and was given up."), (503, "unavailable")),
        (StorageFull("There is no space left."), (507, "storage_full")),
    ],
)
def test_an_export_that_fails_says_why_and_leaves_nothing(
    scene: Scene, maker: Maker, error: Exception, answer: tuple[int, str]
) -> None:
    maker.error = error
    status, problem = scene.ask()
    assert (status, problem["code"]) == answer
    assert scene.exports == [".lock"]
    maker.error = None
    assert scene.ask()[0] == 201, "it may be tried again"


def test_a_missing_package_is_named_with_the_remedy(
    scene: Scene, maker: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(formats, "is_here", lambda package: package != "onnxruntime")
    status, problem = scene.ask("onnx")
    assert status == 422
    assert 'pip install "trainwire[export]"' in problem["detail"]
    assert maker.asked == []


def test_only_a_model_that_is_done_is_exported(client: TestClient, play: Play, maker: Maker) -> None:
    for job, word in ((play.running(), "running"), (play.failed(), "failed"), (play.ended(), "no weights")):
        status, problem = ask(client, job)
        assert (status, problem["code"]) == (409, "wrong_status")
        assert word in problem["detail"]
    assert ask(client, play.queued(), "safetensors")[0] == 409
    assert maker.asked == []


def test_a_job_deleted_meanwhile_leaves_nothing(scene: Scene, maker: Maker, store: Store) -> None:
    maker.meanwhile.clear()
    with ThreadPoolExecutor(1) as other:
        answer = other.submit(scene.ask)
        assert maker.begun.wait(10)
        store.delete(scene.job.id)
        maker.meanwhile.set()
        assert answer.result()[0] == 410
    assert not scene.folder.exists()


@pytest.mark.usefixtures("maker")
def test_a_deleted_job_takes_its_exports_along(scene: Scene) -> None:
    assert scene.ask()[0] == 201
    assert scene.exports == [".lock", "model.pt2"]
    assert scene.client.delete(f"/v1/jobs/{scene.job.id}").status_code == 204
    assert not scene.folder.exists()
    assert scene.ask()[0] == 410


@pytest.mark.usefixtures("maker")
def test_housekeeping_takes_what_a_crash_left_and_nothing_else(
    scene: Scene, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, file = scene.ask()
    (scene.folder / "exports" / "model.onnx").write_bytes(b"its row was never written")
    keeper = Housekeeper(store, scene.folder.parent)
    keeper.clean()
    assert scene.exports == [".lock", "model.onnx", "model.pt2"], "its row may be on the way"
    monkeypatch.setattr(housekeeping, "LEFTOVER_S", -1.0)
    keeper.clean()
    assert scene.exports == [".lock", "model.pt2"]
    assert scene.client.get(file["url"]).content == GRAPH
