"""Schemathesis over the committed OpenAPI document: whatever is sent, never a 500, and answers are as documented."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from api.app import create_app
from api.server import Server
from core.bell import LocalWatchBell
from core.job import Artifact
from core.settings import Settings
from core.store import Store
from core.store import schema as tables
from tests.api.playing import NodeFake, Play, WorkBellFake, finished

EXAMPLES = 25
CHECKS = [
    not_a_server_error,
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
    negative_data_rejection,
]
LONGEST_WAIT_S = 0.05

schema = schemathesis.openapi.from_path(Path(__file__).parents[2] / "docs" / "openapi.json")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, list[str]]]:
    """A service with a job in each state that a run can be in, and its URL."""
    folder = tmp_path_factory.mktemp("contract")
    made = Settings(database_url=f"sqlite:///{folder / 'trainwire.db'}", artifacts=folder)
    tables.upgrade(made.database_url)
    store = Store.open(made.database_url, settings=made)
    bell = LocalWatchBell()
    play = Play(store, bell)
    running = play.running()
    (folder / "model.json").write_text("{}")
    play.tell(running, finished(Artifact("model.json", "model.json", "application/json", 2, "0" * 64)))
    job_ids = [running.id, play.ended(epochs=5).id, play.running().id, play.queued().id]
    app = create_app(store=store, watch_bell=bell, work_bell=WorkBellFake(), settings=made, node=NodeFake())
    with Server(app, "127.0.0.1", 0) as server:
        yield server.url, job_ids
    store.close()


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
def test_no_request_is_a_500_and_every_answer_is_documented(
    case: schemathesis.Case[Any], service: tuple[str, list[str]]
) -> None:
    url, job_ids = service
    _make_it_reach_something(case, job_ids)
    case.call_and_validate(base_url=url, checks=CHECKS, timeout=20)


def _make_it_reach_something(case: schemathesis.Case[Any], job_ids: list[str]) -> None:
    """Half of the generated ids become real ones, and no poll waits long."""
    path: dict[str, Any] = case.path_parameters or {}
    text = str(path.get("job_id", ""))
    if text and len(text) % 2 == 0:
        path["job_id"] = job_ids[len(text) // 2 % len(job_ids)]
        if "name" in path and len(text) % 4 == 0:
            path["name"] = "model.json"
    query: dict[str, Any] = case.query or {}
    if _seconds(query.get("wait")) > LONGEST_WAIT_S:
        query["wait"] = LONGEST_WAIT_S


def _seconds(value: object) -> float:
    """The wait that a server would read, 0 for what is none or too long to be one."""
    try:
        found = float(str(value))
    except ValueError:
        return 0.0
    return found if found <= 60 else 0.0
