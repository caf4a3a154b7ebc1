"""Plans over HTTP: everything of a job but the job."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from typing import Any, TypeVar

import pytest
from fastapi.testclient import TestClient

from api.server import Server
from core.events import EpochDone
from core.planning import ENDED_S, TOLD_S
from core.store import JobQuery, Store
from core.usage import Memory, Trial
from core.views import PlanView
from tests.api.playing import SPEC, WORKER, Play, WorkBellFake, epoch, finished

T = TypeVar("T")
PLAN = "/v1/jobs/plan"
TRIAL = Trial("cpu", startup_s=0.5, step_s=0.01, sample_s=0.001, steps=9, memory=Memory(10, 20, 30, 50, 40))


def test_a_plan_tells_what_a_job_would_be_and_makes_none(
    client: TestClient, store: Store, work_bell: WorkBellFake
) -> None:
    answer = client.post(PLAN, json=SPEC, headers={"Idempotency-Key": "one"})
    plan = PlanView.model_validate_json(answer.content)
    assert answer.status_code == 200
    assert plan.spec == client.post("/v1/jobs", json=SPEC).json()["spec"]
    assert (plan.parameters, plan.steps_per_epoch, plan.epochs, plan.steps) == (610, 45, 5, 225)
    assert plan.memory is not None
    assert plan.memory.optimizer_bytes == 2 * plan.memory.weights_bytes == 2 * 4 * 610
    assert (plan.seconds, plan.runs_on) == (None, None)
    assert len(plan.notes) == 2
    assert len(store.jobs(JobQuery()).rows) == 1
    assert work_bell.rung == [None]


def test_a_plan_answers_another_spec_under_the_same_key(client: TestClient) -> None:
    headers = {"Idempotency-Key": "one"}
    first, second = (client.post(PLAN, json={**SPEC, "epochs": n}, headers=headers).json() for n in (1, 2))
    assert (first["epochs"], second["epochs"]) == (1, 2)


def test_a_bad_spec_is_refused_as_a_job_is(client: TestClient) -> None:
    bad: dict[str, Any] = {**SPEC, "lr": -1, "model": "mpl"}
    job, plan = (client.post(path, json=bad) for path in ("/v1/jobs", PLAN))
    assert plan.status_code == job.status_code == 422
    assert plan.json()["errors"] == job.json()["errors"]
    assert [client.post(PLAN, content="{}").status_code, client.post(PLAN, json={}).status_code] == [415, 422]


def test_earlier_jobs_tell_how_long_it_will_take_and_workers_where(
    client: TestClient, store: Store, play: Play
) -> None:
    store.enrol(WORKER)
    job = play.running()
    rows = [EpochDone(replace(epoch(number).row, epoch_s=0.25), best=True) for number in (1, 2)]
    play.tell(job, *rows, finished())
    plan = PlanView.model_validate(client.post(PLAN, json={**SPEC, "lr": 0.9, "epochs": 100}).json())
    assert plan.seconds is not None
    assert plan.seconds.epoch_s == 0.25
    assert 25 <= plan.seconds.total_s < 26
    assert (plan.seconds.jobs, plan.seconds.epochs) == (1, 2)
    assert plan.runs_on is not None
    assert (plan.runs_on.device, plan.runs_on.workers) == ("cpu", ["node-a"])
    assert plan.notes == []


def test_a_plan_is_no_job_to_be_looked_at(client: TestClient) -> None:
    answer = client.get(PLAN)
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "POST"


@contextlib.contextmanager
def tried(store: Store, told: dict[str, Any]) -> Iterator[None]:
    """A worker that answers the next probe with `told`."""

    def work() -> None:
        until = time.monotonic() + 20
        while (probe := store.take_probe(WORKER)) is None and time.monotonic() < until:
            time.sleep(0.01)
        if probe is not None:
            store.answer_probe(probe.id, WORKER.id, told)

    store.enrol(WORKER)
    worker = threading.Thread(target=work)
    worker.start()
    yield
    worker.join()


def test_a_probe_measures_what_is_else_only_reckoned(client: TestClient, store: Store, work_bell: WorkBellFake) -> None:
    with tried(store, {"trial": asdict(TRIAL)}):
        answer = client.post(PLAN, params={"probe": "true"}, json={**SPEC, "resources": {"queue": "cpu"}})
    plan = PlanView.model_validate_json(answer.content)
    assert plan.seconds is not None
    assert plan.memory is not None
    assert (plan.seconds.source, plan.seconds.epoch_s) == ("probe", 0.45)
    assert plan.seconds.total_s == pytest.approx(0.5 + 5 * (0.45 + 0.36 + TOLD_S) + ENDED_S)
    assert (plan.memory.source, plan.memory.optimizer_bytes, plan.memory.peak_bytes) == ("probe", 30, 50)
    assert plan.notes == []
    assert work_bell.rung == ["cpu"]
    assert store.take_probe(WORKER) is None


def test_a_trial_that_fails_is_a_note_of_the_plan(client: TestClient, store: Store) -> None:
    error = {"code": "invalid_data", "message": "Row 7 is odd.", "hint": "Mend it.", "param": None}
    with tried(store, {"error": error}):
        plan = client.post(PLAN, params={"probe": "true"}, json=SPEC).json()
    assert plan["notes"][0] == "probe: invalid_data: Row 7 is odd. Mend it."
    assert (plan["seconds"], plan["memory"]["source"]) == (None, "arithmetic")


def test_a_probe_that_nobody_can_do_is_a_503_at_once_and_one_that_nobody_does_in_time(
    client: TestClient, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = client.post(PLAN, params={"probe": "true"}, json=SPEC)
    assert (first.status_code, "No live worker" in first.json()["detail"]) == (503, True)
    store.enrol(WORKER)
    monkeypatch.setattr("api.probing.WITHIN_S", 0.05)
    second = client.post(PLAN, params={"probe": "true"}, json=SPEC)
    assert (second.status_code, second.headers["Retry-After"]) == (503, "2")
    assert store.take_probe(WORKER) is None


def test_a_client_that_goes_away_leaves_no_probe(server: Server, store: Store) -> None:
    store.enrol(WORKER)
    body = json.dumps(SPEC).encode()
    head = f"POST {PLAN}?probe=true HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    with socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2]))) as line:
        line.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        probe = until(lambda: store.take_probe(WORKER))
    assert until(lambda: not store.keep_probe(probe.id, WORKER.id))


def until(look: Callable[[], T | None]) -> T:
    """What `look` finds, as soon as it finds anything."""
    end = time.monotonic() + 20
    while not (found := look()):
        assert time.monotonic() < end
        time.sleep(0.02)
    return found
