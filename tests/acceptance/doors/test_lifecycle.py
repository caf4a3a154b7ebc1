"""The verbs over both doors: pause, resume, cancel, retry, fork and delete, with the same figures whatever happened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.acceptance.processes import wait_until

if TYPE_CHECKING:
    from tests.acceptance.doors.conftest import Door

SPEC = {
    "dataset": "digits",
    "model": {"name": "mlp", "hidden": [64], "dropout": 0.2},
    "optimizer": {"name": "sgd", "momentum": 0.9},
    "lr": 0.05,
    "scheduler": "cosine",
    "epochs": 40,
    "checkpoints": {"every_s": 0.1, "keep_last": 100},
}
FIGURES = ("epoch", "train_loss", "val_loss", "val_accuracy", "lr")
EARLY = 5

Rows = list[dict[str, Any]]


@pytest.fixture(scope="module")
def undisturbed(door: Door) -> str:
    """A job that nobody touched."""
    job_id = door.submit(SPEC)
    assert door.ended(job_id)["status"] == "succeeded"
    return job_id


def test_a_spec_is_tried_out_by_a_worker_of_the_door(door: Door) -> None:
    answer = door.http.post("/v1/jobs/plan", params={"probe": "true"}, json=SPEC, timeout=40)
    assert answer.status_code == httpx.codes.OK, answer.text
    plan = answer.json()
    assert (plan["memory"]["source"], plan["seconds"]["source"], plan["notes"]) == ("probe", "probe", [])
    assert plan["memory"]["peak_bytes"] > plan["memory"]["baseline_bytes"] > 0
    assert plan["runs_on"]["device"] == "cpu"


def test_a_paused_job_frees_its_slot_and_goes_on_to_the_same_figures(door: Door, undisturbed: str) -> None:
    job_id = running(door)
    answer = post(door, job_id, "pause")
    assert answer.json()["status"] in {"pausing", "paused"}
    paused = reached(door, job_id, "paused")
    assert (paused["status_reason"], paused["worker"]) == ("paused_by_user", None)
    assert checkpoints(door, job_id)[0]["occasion"] == "stop"
    assert post(door, job_id, "pause").json()["status"] == "paused"
    assert post(door, job_id, "resume").json()["status"] in {"queued", "running"}
    ended = door.ended(job_id)
    assert (ended["status"], ended["attempt"], ended["bit_exact"]) == ("succeeded", 2, True)
    assert figures(door, job_id) == figures(door, undisturbed)
    assert weights(door, job_id) == weights(door, undisturbed)


def test_a_cancelled_job_keeps_what_it_has_and_is_retried_from_there(door: Door, undisturbed: str) -> None:
    job_id = running(door)
    post(door, job_id, "cancel")
    cancelled = reached(door, job_id, "cancelled")
    kept = checkpoints(door, job_id)
    assert kept
    answer = post(door, job_id, "retry")
    assert answer.status_code == httpx.codes.ACCEPTED
    retried = answer.json()
    assert retried["parent"] == {"id": job_id, "epoch": kept[0]["epoch"]}
    assert door.ended(retried["id"])["status"] == "succeeded"
    whole = figures(door, undisturbed)
    assert figures(door, retried["id"]) == whole[kept[0]["epoch"] :]
    assert weights(door, retried["id"]) == weights(door, undisturbed)
    assert door.job(job_id) == cancelled, "an ended job changed"


def test_a_fork_without_a_patch_gives_the_rest_of_its_parent(door: Door, undisturbed: str) -> None:
    answer = post(door, undisturbed, "fork", epoch=EARLY)
    fork = answer.json()
    assert fork["parent"] == {"id": undisturbed, "epoch": EARLY}
    assert door.ended(fork["id"])["status"] == "succeeded"
    assert figures(door, fork["id"]) == figures(door, undisturbed)[EARLY:]
    assert weights(door, fork["id"]) == weights(door, undisturbed)


def test_a_fork_differs_behind_its_epoch_only_by_its_patch(door: Door, undisturbed: str) -> None:
    fork = post(door, undisturbed, "fork", epoch=EARLY, patch={"lr": 0.01, "epochs": EARLY + 3}).json()
    assert door.ended(fork["id"])["status"] == "succeeded"
    rows = door.rows(fork["id"])
    assert [row["epoch"] for row in rows] == [EARLY + 1, EARLY + 2, EARLY + 3]
    assert rows[0]["train_loss"] != door.rows(undisturbed)[EARLY]["train_loss"]
    again = post(door, undisturbed, "fork", epoch=EARLY, patch={"lr": 0.01, "epochs": EARLY + 3}).json()
    door.ended(again["id"])
    assert figures(door, again["id"]) == figures(door, fork["id"])


def test_a_deleted_job_is_gone_and_says_so(door: Door) -> None:
    job_id = door.submit({**SPEC, "epochs": 1})
    door.ended(job_id)
    for _ in range(2):
        assert door.http.delete(f"/v1/jobs/{job_id}").status_code == httpx.codes.NO_CONTENT
    for path in ("", "/metrics", "/events", "/artifacts", "/checkpoints"):
        gone = door.http.get(f"/v1/jobs/{job_id}{path}")
        assert (gone.status_code, gone.json()["code"]) == (httpx.codes.GONE, "gone")
    wait_until(lambda: not (door.artifacts / job_id).exists())


def test_a_submission_that_is_repeated_under_its_key_makes_one_job(door: Door) -> None:
    key = {"Idempotency-Key": f"doors-{door.port}"}
    first, again = (door.http.post("/v1/jobs", json={**SPEC, "epochs": 1}, headers=key) for _ in range(2))
    assert (again.status_code, again.text) == (httpx.codes.ACCEPTED, first.text)
    assert again.headers["Idempotent-Replayed"] == "true"
    other = door.http.post("/v1/jobs", json={**SPEC, "epochs": 2}, headers=key)
    assert other.status_code == httpx.codes.UNPROCESSABLE_ENTITY


def running(door: Door) -> str:
    """A job that has a few epochs behind it and many before it."""
    job_id = door.submit(SPEC)
    assert door.http.get(f"/v1/jobs/{job_id}/metrics", params={"after": 2, "wait": 30}).json()["data"]
    return job_id


def post(door: Door, job_id: str, verb: str, **body: Any) -> httpx.Response:
    answer = door.http.post(f"/v1/jobs/{job_id}/{verb}", json=body or None)
    assert answer.status_code in {httpx.codes.OK, httpx.codes.ACCEPTED}, answer.text
    return answer


def reached(door: Door, job_id: str, status: str) -> dict[str, Any]:
    wait_until(lambda: door.job(job_id)["status"] == status)
    return door.job(job_id)


def checkpoints(door: Door, job_id: str) -> Rows:
    return list(door.http.get(f"/v1/jobs/{job_id}/checkpoints").raise_for_status().json()["data"])


def figures(door: Door, job_id: str) -> Rows:
    return [{key: row[key] for key in FIGURES} for row in door.rows(job_id)]


def weights(door: Door, job_id: str) -> str:
    files = door.http.get(f"/v1/jobs/{job_id}/artifacts").raise_for_status().json()["data"]
    return next(str(file["sha256"]) for file in files if file["name"] == "model.safetensors")
