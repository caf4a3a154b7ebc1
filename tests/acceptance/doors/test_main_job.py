"""The main job over both doors: POST a spec, watch the losses arrive, take the model home."""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.chaos.reference import reference
from trainwire import load_model

if TYPE_CHECKING:
    from tests.acceptance.doors.conftest import Door

DIGITS = {
    "dataset": "digits",
    "preprocess": {"features": "minmax"},
    "model": {"name": "mlp", "hidden": [128]},
    "optimizer": {"name": "sgd", "momentum": 0.9},
    "lr": 0.1,
    "epochs": 8,
}
LONG = {"dataset": {"name": "moons", "samples": 20_000}, "model": "mlp", "epochs": 2_000}
FIGURES = ("epoch", "train_loss", "val_loss", "val_accuracy", "lr")


def test_a_posted_spec_becomes_a_model(door: Door, tmp_path: Path) -> None:
    job_id = door.submit(DIGITS)
    job = door.ended(job_id)
    assert (job["status"], job["status_reason"]) == ("succeeded", "completed")
    assert [row["epoch"] for row in door.rows(job_id)] == list(range(1, 9))
    assert job["best"]["val_accuracy"] > 0.9
    assert job["spec"]["batch_size"] == 32
    assert [transition["status"] for transition in job["transitions"]] == ["queued", "running", "succeeded"]

    artifacts = door.http.get(f"/v1/jobs/{job_id}/artifacts").json()["data"]
    assert {artifact["name"] for artifact in artifacts} == {"model.safetensors", "model.json", "report.json"}
    for artifact in artifacts:
        body = door.http.get(f"/v1/jobs/{job_id}/artifacts/{artifact['name']}").raise_for_status().content
        assert hashlib.sha256(body).hexdigest() == artifact["sha256"]
        (tmp_path / artifact["name"]).write_bytes(body)

    model = load_model(tmp_path)
    assert sum(weights.numel() for weights in model.parameters()) == 64 * 128 + 128 + 128 * 10 + 10


def test_one_stream_tells_of_every_job_from_its_making_to_its_deletion(door: Door) -> None:
    headers = {"Accept": "text/event-stream"}
    with door.http.stream("GET", "/v1/events", headers=headers) as answer:
        lines = answer.iter_lines()
        told = (json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: "))
        assert next(told)["type"] == "reset"
        ids = {door.submit({**DIGITS, "epochs": 2}) for _ in range(2)}
        seen: dict[str, list[str]] = {job_id: [] for job_id in ids}
        while not all("succeeded" in statuses for statuses in seen.values()):
            change = next(told)
            if change["type"] == "job" and change["job"] in seen:
                seen[change["job"]].append(change["data"]["status"])
        for job_id in ids:
            door.http.delete(f"/v1/jobs/{job_id}").raise_for_status()
        gone = {change["job"] for change in (next(one for one in told if one["type"] == "deleted") for _ in ids)}
    assert gone == ids
    order = ["queued", "running", "succeeded"]
    assert all(sorted(statuses, key=order.index) == statuses for statuses in seen.values())


def test_the_log_is_gapless_and_its_twins_agree(door: Door) -> None:
    job_id = door.submit(DIGITS)
    streamed = list(stream(door, job_id))
    door.ended(job_id)
    polled = door.events(job_id)
    assert [event["seq"] for event in polled] == list(range(1, len(polled) + 1))
    assert streamed == polled
    assert polled[-1]["type"] == "end"
    assert polled[-1]["data"]["status"] == "succeeded"


def test_a_stream_cut_anywhere_goes_on_where_it_was(door: Door) -> None:
    job_id = door.submit(DIGITS)
    seen: list[dict[str, Any]] = []
    while not seen or seen[-1]["type"] != "end":
        for event in stream(door, job_id, after=len(seen)):
            seen.append(event)
            if len(seen) % 3 == 0:
                break
    assert [event["seq"] for event in seen] == list(range(1, len(seen) + 1))
    past = door.http.get(
        f"/v1/jobs/{job_id}/events", headers={"Accept": "text/event-stream", "Last-Event-ID": str(len(seen))}
    )
    assert past.status_code == httpx.codes.NO_CONTENT


def test_the_same_spec_gives_the_same_numbers(door: Door) -> None:
    first, again, loaded = (
        door.submit(DIGITS),
        door.submit(DIGITS),
        door.submit({**DIGITS, "loader": {"num_workers": 2}}),
    )
    rows = [figures(door, job_id) for job_id in (first, again, loaded)]
    assert rows[0] == rows[1] == rows[2]
    alone = [{"epoch": epoch, **row} for epoch, row in reference(DIGITS).figures.items()]
    assert rows[0] == alone, "a door gives other numbers than the same spec without any service"


def test_a_running_job_is_cancelled_within_two_seconds(door: Door) -> None:
    job_id = door.submit(LONG)
    next(event for event in stream(door, job_id) if event["type"] == "epoch")
    began = time.monotonic()
    assert door.http.post(f"/v1/jobs/{job_id}/cancel").status_code in {200, 202}
    job = door.ended(job_id)
    assert (job["status"], job["status_reason"]) == ("cancelled", "cancelled_by_user")
    assert time.monotonic() - began < 10
    assert door.http.post(f"/v1/jobs/{job_id}/cancel").json()["status"] == "cancelled"


def test_a_cost_that_is_not_finite_fails_with_a_hint(door: Door) -> None:
    job_id = door.submit({"dataset": "diabetes", "model": "linear", "optimizer": "sgd", "lr": 1e6, "epochs": 50})
    job = door.ended(job_id)
    assert (job["status"], job["status_reason"]) == ("failed", "diverged")
    assert "lr" in job["error"]["hint"]
    last = door.rows(job_id)[-1]
    assert last["train_loss"] is None
    assert last["nonfinite"]["train_loss"] in {"nan", "inf"}


def test_all_problems_of_a_spec_come_back_at_once(door: Door) -> None:
    answer = door.http.post("/v1/jobs", json={"dataset": "digits", "model": "mpl", "lr": -1, "epoch": 3})
    assert answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY
    assert answer.headers["content-type"].startswith("application/problem+json")
    problems = {problem["pointer"]: problem["message"] for problem in answer.json()["errors"]}
    assert set(problems) == {"/model", "/lr", "/epoch"}
    assert "mlp" in problems["/model"]


def test_a_long_poll_answers_at_the_next_change(door: Door) -> None:
    job_id = door.submit(DIGITS)
    after, rows = 0, list[dict[str, Any]]()
    while len(rows) < 8:
        page = door.http.get(f"/v1/jobs/{job_id}/metrics", params={"after": after, "wait": 20}).json()["data"]
        assert page, "a long poll with an epoch still to come answered nothing"
        rows += page
        after = rows[-1]["epoch"]
    assert [row["epoch"] for row in rows] == list(range(1, 9))


def test_a_device_that_no_worker_has_is_said_at_once_or_waited_for(door: Door) -> None:
    answer = door.http.post("/v1/jobs", json={**DIGITS, "resources": {"device": "cuda:7"}})
    if answer.status_code == httpx.codes.ACCEPTED:
        assert answer.json()["queue"]["waiting_for"] == "cuda:7"
        door.http.post(f"/v1/jobs/{answer.json()['id']}/cancel").raise_for_status()
    else:
        assert answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY
        assert answer.json()["errors"][0]["pointer"] == "/resources/device"


@pytest.mark.full  # tests/chaos kills the hosts of both doors in every run
@pytest.mark.timeout(180)
def test_a_job_outlives_the_death_of_its_host(own_door: Door) -> None:
    spec = {**DIGITS, "epochs": 60, "batch_size": 8}
    jobs = [own_door.submit(spec) for _ in range(3)]
    next(event for event in stream(own_door, jobs[0]) if event["type"] == "epoch")
    own_door.kill_trainers_host()
    ended = [own_door.ended(job_id) for job_id in jobs]
    assert [job["status"] for job in ended] == ["succeeded"] * 3
    rows = [figures(own_door, job_id) for job_id in jobs]
    assert rows[0] == rows[1] == rows[2]
    assert max(job["attempt"] for job in ended) >= 2
    for job_id in jobs:
        events = own_door.events(job_id)
        assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
        assert [event["data"]["epoch"] for event in events if event["type"] == "epoch"] == list(range(1, 61))
        assert not [event for event in events if event["type"] == "notice"]


def figures(door: Door, job_id: str) -> list[dict[str, Any]]:
    """The rows that must be equal bit for bit: everything but the times."""
    assert door.ended(job_id)["status"] == "succeeded"
    return [{key: row[key] for key in FIGURES} for row in door.rows(job_id)]


def stream(door: Door, job_id: str, after: int = 0) -> Any:
    """The stored events of a job's stream, as a reader of text/event-stream sees them."""
    headers = {"Accept": "text/event-stream", "Last-Event-ID": str(after)}
    with door.http.stream("GET", f"/v1/jobs/{job_id}/events", headers=headers) as answer:
        answer.raise_for_status()
        numbered = False
        for line in answer.iter_lines():
            if line.startswith("id:"):
                numbered = True
            elif line.startswith("data:") and numbered:
                yield json.loads(line.removeprefix("data:"))
            elif not line:
                numbered = False
