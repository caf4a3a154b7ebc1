"""Schemathesis over the committed OpenAPI document: whatever is sent, never a 500, and answers are as documented."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from api.app import create_app
from api.examples import REPORTED
from api.server import Server
from core import intake
from core.bell import LocalWatchBell
from core.job import Artifact
from core.settings import Settings
from core.store import Store, Upload
from core.store import schema as tables
from core.wire import dumps
from tests.api.playing import NodeFake, Play, WorkBellFake, finished
from tests.api.uploading import PROFILE, Looks

EXAMPLES = 15
CHECKS = [
    not_a_server_error,
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
    negative_data_rejection,
]
LONGEST_WAIT_S = 0.05
DOOMED = 5
"""Few, so that some are deleted twice."""

schemathesis.serializer.alias(["application/jsonl", "application/x-ndjson", "image/bmp"], "application/octet-stream")
DOCUMENT = Path(__file__).parents[2] / "docs" / "openapi.json"
SUBMIT, PLAN = "/v1/jobs", "/v1/jobs/plan"
EFFORT = settings(max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
FEWER = {"include-path": [SUBMIT, PLAN], "include-method": "POST", "phases": {"coverage": {"enabled": False}}}
"""A spec's fields are not gone through one by one: that is made up while tests are collected, by each process."""

schema = schemathesis.openapi.from_path(DOCUMENT, config=schemathesis.Config.from_dict({"operations": [FEWER]}))


@dataclass(frozen=True)
class Service:
    """A service with a job in each state that a run can be in, and datasets; `doomed`: what only a DELETE may have."""

    url: str
    jobs: list[str]
    doomed: Iterator[str]
    datasets: list[str]
    doomed_datasets: Iterator[str]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("contract")
    made = Settings(database_url=f"sqlite:///{folder / 'trainwire.db'}", artifacts=folder)
    tables.upgrade(made.database_url)
    store = Store.open(made.database_url, settings=made)
    bell = LocalWatchBell()
    play = Play(store, bell)
    running = play.running()
    (folder / "model.json").write_text("{}")
    (folder / "report.json").write_text(dumps(REPORTED))
    made_by_it = [Artifact(name, name, "application/json", 2, "0" * 64) for name in ("model.json", "report.json")]
    play.tell(running, finished(*made_by_it))
    gone, paused = play.ended(), play.queued()
    store.delete(gone.id)
    store.pause(paused.id)
    made_of = [play.ended(epochs=5), play.failed(), play.running(), play.running(), play.queued(), paused, gone]
    doomed = itertools.cycle([play.ended(epochs=0).id for _ in range(DOOMED)])
    datasets = [uploaded(store, folder, number) for number in range(2 + DOOMED)]
    store.remove_dataset(datasets[1])
    dropped = itertools.cycle(datasets[1:])
    app = create_app(store=store, watch_bell=bell, work_bell=WorkBellFake(), settings=made, node=NodeFake())
    looks = Looks()
    with pytest.MonkeyPatch.context() as patched, Server(app, "127.0.0.1", 0) as server:
        patched.setattr(intake, "inspect_file", looks.inspect_file)
        patched.setattr(intake, "first_rows", looks.first_rows)
        yield Service(server.url, [running.id, *(job.id for job in made_of)], doomed, datasets[:2], dropped)
    store.close()


def uploaded(store: Store, folder: Path, number: int) -> str:
    """A dataset with its file."""
    sha256 = hashlib.sha256(bytes([number])).hexdigest()
    (folder / "datasets").mkdir(exist_ok=True)
    (folder / "datasets" / sha256).write_bytes(bytes([number]))
    return store.add_dataset(Upload(sha256, 1, "pets.csv", PROFILE), name="pets")[0].id


@schema.parametrize()
@EFFORT
def test_no_request_is_a_500_and_every_answer_is_documented(case: schemathesis.Case[Any], service: Service) -> None:
    _make_it_reach_something(case, service)
    case.call_and_validate(base_url=service.url, checks=CHECKS, timeout=20)


@pytest.mark.full
@pytest.mark.timeout(900)
@pytest.mark.parametrize("path", [SUBMIT, PLAN])
@pytest.mark.parametrize("mode", list(GenerationMode))
def test_no_spec_is_a_500_however_wrong_it_is(path: str, mode: GenerationMode, service: Service) -> None:
    @settings(EFFORT, max_examples=500)
    @given(schema[path]["POST"].as_strategy(generation_mode=mode))
    def holds(case: schemathesis.Case[Any]) -> None:
        _make_it_reach_something(case, service)
        case.call_and_validate(base_url=service.url, checks=CHECKS, timeout=20)

    holds()


@pytest.mark.parametrize("spec", [{"dataset": "iris", "model": "mlp"}, {"dataset": "iris", "model": "mpl"}, [], None])
def test_a_plan_s_answers_are_documented(spec: Any, service: Service) -> None:
    case = schema[PLAN]["POST"].Case(body=spec, media_type="application/json")
    case.call_and_validate(base_url=service.url, checks=CHECKS, timeout=20)


def _make_it_reach_something(case: schemathesis.Case[Any], service: Service) -> None:
    """Half of the generated ids become real ones, no poll waits long, and none asks for a worker."""
    path: dict[str, Any] = case.path_parameters or {}
    text = str(path.get("job_id", ""))
    if text and len(text) % 2 == 0:
        known = service.jobs[len(text) // 2 % len(service.jobs)]
        path["job_id"] = next(service.doomed) if case.method == "DELETE" else known
        if "name" in path and len(text) % 4 == 0:
            path["name"] = "model.json"
    dataset_id = str(path.get("dataset_id", ""))
    if dataset_id and len(dataset_id) % 2 == 0:
        known = service.datasets[len(dataset_id) // 2 % len(service.datasets)]
        path["dataset_id"] = next(service.doomed_datasets) if case.method == "DELETE" else known
    query: dict[str, Any] = case.query or {}
    if _seconds(query.get("wait")) > LONGEST_WAIT_S:
        query["wait"] = LONGEST_WAIT_S
    query.pop("probe", None)  # no worker is here to try anything: a 503, as documented


def _seconds(value: object) -> float:
    """The wait that a server would read, 0 for what is none or too long to be one."""
    try:
        found = float(str(value))
    except ValueError:
        return 0.0
    return found if found <= 60 else 0.0
