"""Plans over HTTP: everything of a job but the job."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fastapi.testclient import TestClient

from core.events import EpochDone
from core.store import JobQuery, Store
from core.views import PlanView
from tests.api.playing import SPEC, WORKER, Play, WorkBellFake, epoch, finished

PLAN = "/v1/jobs/plan"


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
