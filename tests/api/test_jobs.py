"""Jobs over HTTP: queue one, list them, look at one."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient

from core.events import Finished
from core.job import Reason, Status
from core.views import JobPage, JobView
from tests.api.playing import SPEC, WORKER, NodeFake, Play, WorkBellFake, epoch, step

Connect = Callable[..., TestClient]


def test_a_posted_job_is_queued_and_its_place_is_named(client: TestClient, work_bell: WorkBellFake) -> None:
    answer = client.post("/v1/jobs", json={**SPEC, "resources": {"queue": "cpu"}, "labels": {"team": "a"}})

    job = JobView.model_validate_json(answer.content)
    assert answer.status_code == 202
    assert answer.headers["Location"] == f"/v1/jobs/{job.id}" == job.links.self
    assert job.status is Status.QUEUED
    assert job.labels == {"team": "a"}
    assert job.queue.name == "cpu"
    assert work_bell.rung == ["cpu"]


def test_the_answer_shows_every_default_and_the_seed(client: TestClient) -> None:
    job = client.post("/v1/jobs", json={"dataset": "iris", "model": "linear"}).json()

    assert job["name"] == "iris-linear"
    assert job["spec"]["optimizer"]["name"] == "adam"
    assert job["spec"]["lr"] == 0.001
    drawn = {"validation": 0.2, "test": 0.0, "seed": 0, "stratify": True}
    ways = dict.fromkeys(("time", "column", "group", "folds", "fold"))
    assert job["spec"]["split"] == {**drawn, **ways}
    assert job["seed"] == 0
    assert [one["status"] for one in job["transitions"]] == ["queued"]


def test_a_stored_spec_can_be_posted_again_as_it_is(client: TestClient) -> None:
    first = client.post("/v1/jobs", json=SPEC).json()
    again = client.post("/v1/jobs", json=first["spec"])

    assert again.status_code == 202
    assert again.json()["spec"] == first["spec"]


def test_all_problems_of_a_spec_come_back_at_once(client: TestClient) -> None:
    bad = {"dataset": "digits", "model": "mpl", "lr": -1, "batch_size": 0, "epoch": 3, "loader": {"num_workers": 65}}
    answer = client.post("/v1/jobs", json=bad)

    problem = answer.json()
    assert answer.status_code == 422
    assert problem["code"] == "invalid_spec"
    by_pointer = {one["pointer"]: one["message"] for one in problem["errors"]}
    assert {"/lr", "/batch_size", "/epoch", "/loader/num_workers"} < set(by_pointer)
    assert any('"mlp"' in message for pointer, message in by_pointer.items() if pointer.startswith("/model"))


def test_a_device_that_no_embedded_worker_has_is_refused(connect: Connect) -> None:
    client = connect(node=NodeFake(("cpu", "cuda:0")))

    answers = {
        device: client.post("/v1/jobs", json={**SPEC, "resources": {"device": device}})
        for device in ("auto", "cpu", "cuda", "cuda:0", "cuda:1", "mps")
    }
    statuses = {device: answer.status_code for device, answer in answers.items()}
    assert statuses == {"auto": 202, "cpu": 202, "cuda": 202, "cuda:0": 202, "cuda:1": 422, "mps": 422}
    (error,) = answers["mps"].json()["errors"]
    assert error["pointer"] == "/resources/device"
    assert error["allowed"] == ["auto", "cpu", "cuda:0"]


def test_distributed_a_device_that_no_worker_has_is_waited_for(client: TestClient, play: Play) -> None:
    play.store.enrol(WORKER)
    job = client.post("/v1/jobs", json={**SPEC, "resources": {"device": "cuda"}}).json()

    assert job["status"] == "queued"
    assert "cuda" in job["queue"]["waiting_for"]


def test_a_queued_job_knows_its_place(client: TestClient, play: Play) -> None:
    first, second = play.queued(), play.queued()

    places = [client.get(f"/v1/jobs/{job.id}").json()["queue"]["position"] for job in (first, second)]
    assert places == [1, 2]


def test_jobs_are_listed_newest_first_in_pages(client: TestClient, play: Play) -> None:
    made = [play.queued().id for _ in range(5)]

    seen: list[str] = []
    address: str | None = "/v1/jobs?limit=2"
    while address:
        answer = client.get(address)
        page = JobPage.model_validate_json(answer.content)
        seen += [job.id for job in page.data]
        assert page.has_more == (page.next is not None) == ("next" in answer.links)
        address = answer.links["next"]["url"] if page.has_more else None
    assert seen == made[::-1]


def test_the_oldest_come_first_when_asked(client: TestClient, play: Play) -> None:
    made = [play.queued().id for _ in range(3)]

    assert [job["id"] for job in client.get("/v1/jobs?order=asc").json()["data"]] == made


def test_jobs_are_listed_by_their_best_loss_page_after_page(client: TestClient, play: Play) -> None:
    losses = {play.ended(epochs=epochs).id: 1.1 / epochs for epochs in (2, 4, 1)}
    waiting = play.queued().id
    address: str | None = "/v1/jobs?order=loss&limit=2"
    seen: list[str] = []
    while address is not None:
        answer = client.get(address)
        seen += [job["id"] for job in answer.json()["data"]]
        address = answer.links["next"]["url"] if "next" in answer.links else None

    assert seen == [*sorted(losses, key=losses.__getitem__), waiting]
    by_age = client.get("/v1/jobs?limit=2").json()["next"]
    refused = client.get(f"/v1/jobs?order=loss&limit=2&after={by_age}")
    assert refused.status_code == 422
    assert "page in the same order" in refused.text


def test_jobs_are_found_by_status_name_and_label(client: TestClient, play: Play) -> None:
    ended = play.ended(name="one", labels={"team": "a", "stage": "x:y"})
    running = play.running(name="two", labels={"team": "a"})
    queued = play.queued(name="three")

    def found(query: str) -> set[str]:
        return {job["id"] for job in client.get(f"/v1/jobs?{query}").json()["data"]}

    assert found("status=succeeded&status=running") == {ended.id, running.id}
    assert found("name=three") == {queued.id}
    assert found("q=HRE") == {queued.id}
    assert found("label=team:a") == {ended.id, running.id}
    assert found("label=team:a&label=stage:x:y") == {ended.id}
    assert found("label=team:b") == set()


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("limit=0", "/query/limit"),
        ("limit=1000000000", "/query/limit"),
        ("status=sleeping", "/query/status/0"),
        ("after=nonsense", "/query/after"),
        ("label=team", "/query/label"),
        ("order=sideways", "/query/order"),
        ("name=%00", "/query/name"),
        ("stauts=queued", "/query/stauts"),
    ],
)
def test_a_wrong_parameter_is_named(client: TestClient, query: str, pointer: str) -> None:
    answer = client.get(f"/v1/jobs?{query}")

    assert answer.status_code == 422
    assert answer.json()["code"] == "invalid_parameter"
    assert [one["pointer"] for one in answer.json()["errors"]] == [pointer]


def test_an_unchanged_list_is_a_304(client: TestClient, play: Play) -> None:
    job = play.running()
    first = client.get("/v1/jobs")

    assert client.get("/v1/jobs", headers={"If-None-Match": first.headers["ETag"]}).status_code == 304
    play.tell(job, step(3))
    assert client.get("/v1/jobs", headers={"If-None-Match": first.headers["ETag"]}).status_code == 200


def test_a_running_job_shows_its_progress_and_figures(client: TestClient, play: Play) -> None:
    job = play.running()
    play.tell(job, epoch(1), step(7, epoch=2))

    shown = JobView.model_validate_json(client.get(f"/v1/jobs/{job.id}").content)
    assert shown.status is Status.RUNNING
    assert shown.progress is not None
    assert (shown.progress.epoch, shown.progress.step, shown.progress.eta_s) == (2, 7, 1.5)
    assert shown.latest is not None
    assert shown.latest.epoch == 1
    assert shown.worker is not None
    assert (shown.worker.name, shown.worker.device) == ("node-a", "cpu")
    assert [one.status for one in shown.transitions] == [Status.QUEUED, Status.RUNNING]


def test_a_loss_that_is_not_finite_is_null_and_named(client: TestClient, play: Play) -> None:
    job = play.running()
    play.tell(job, epoch(1, loss=float("nan"), best=False))

    latest = client.get(f"/v1/jobs/{job.id}").json()["latest"]
    assert latest["train_loss"] is None
    assert latest["nonfinite"] == {"train_loss": "nan", "val_loss": "nan"}


def test_a_job_that_was_tested_shows_its_figures_and_its_end_event_tells_them(client: TestClient, play: Play) -> None:
    job = play.running()
    assert client.get(f"/v1/jobs/{job.id}").json()["test"] is None
    play.tell(job, epoch(1), Finished(Reason.COMPLETED, (), {"loss": 0.25, "auroc": float("nan")}))

    figures = {"loss": 0.25, "auroc": None, "nonfinite": {"auroc": "nan"}}
    shown = client.get(f"/v1/jobs/{job.id}")
    assert shown.json()["test"] == figures
    assert JobView.model_validate_json(shown.content).model_dump()["test"] == figures
    assert client.get(f"/v1/jobs/{job.id}/events").json()["data"][-1]["data"]["test"] == figures


@pytest.mark.parametrize(
    "room", ["", "/metrics", "/events", "/logs", "/checkpoints", "/artifacts", "/artifacts/model.json"]
)
def test_an_unknown_or_malformed_id_is_a_404(client: TestClient, room: str) -> None:
    for job_id in ("job_1", "nonsense", "job_" + "0" * 32, "ds_" + "0" * 32, "%00", "job_%ff"):
        answer = client.get(f"/v1/jobs/{job_id}{room}")

        assert answer.status_code == 404
        assert answer.json()["code"] == "not_found"
