"""Every error is a problem with an id, and no request, however malformed, is a 500."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient

from core.errors import Unavailable
from core.store import Store
from core.views import ProblemView
from tests.api.playing import SPEC, Play

JSON = {"Content-Type": "application/json"}
DEEP = b"[" * 100_000


class BrokenStore:
    """A store whose every answer is an error."""

    in_place = True

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def fail(*_: Any, **__: Any) -> Any:
            raise self._error

        return fail


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing", 404, "not_found"),
        ("GET", "/v1", 404, "not_found"),
        ("GET", "/v1/jobs/", 404, "not_found"),
        ("GET", "/static/nothing", 404, "not_found"),
        ("GET", "/static/../api/app.py", 404, "not_found"),
        ("GET", "/static/%2e%2e/%2e%2e/app.py", 404, "not_found"),
        ("DELETE", "/v1/jobs", 405, "method_not_allowed"),
        ("PUT", "/healthz", 405, "method_not_allowed"),
        ("POST", "/static/jobs.js", 405, "method_not_allowed"),
        ("TRACE", "/v1/jobs", 405, "method_not_allowed"),
    ],
)
def test_what_is_not_there_is_a_problem(client: TestClient, method: str, path: str, status: int, code: str) -> None:
    answer = client.request(method, path)

    problem = ProblemView.model_validate_json(answer.content)
    assert (answer.status_code, problem.status, problem.code) == (status, status, code)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["X-Request-ID"] == problem.request_id
    assert problem.type == f"urn:trainwire:problem:{code}"


def test_a_method_that_is_not_offered_names_those_that_are(client: TestClient) -> None:
    assert client.delete("/v1/jobs").headers["Allow"] == "GET, HEAD, POST"
    assert client.get(f"/v1/jobs/job_{'0' * 32}/cancel").headers["Allow"] == "POST"


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b'{"dataset": }',
        b"\xff\xfe",
        DEEP,
        b'{"lr": ' + b"1" * 5000 + b"}",
        b"nope",
        b"{'dataset': 'iris'}",
    ],
    ids=["cut", "no value", "no UTF-8", "deep", "huge number", "word", "quotes"],
)
def test_a_body_that_is_not_json_is_a_400(client: TestClient, body: bytes) -> None:
    answer = client.post("/v1/jobs", content=body, headers=JSON)

    assert answer.status_code == 400
    assert answer.json()["code"] == "bad_request"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'"iris"',
        b"{}",
        b'{"dataset": null, "model": []}',
        b'{"dataset": "iris", "model": "linear", "lr": NaN}',
        b'{"dataset": "iris", "model": "linear", "lr": 1e999}',
        b'{"dataset": "iris", "model": "linear", "name": "\\ud800"}',
        b'{"dataset": "iris", "model": "linear", "\\ud800": 1}',
        b'{"dataset": "iris", "model": "linear", "name": "\\u0000"}',
        b'{"dataset": "iris", "model": "linear", "labels": {"\\u0000": "a"}}',
        b'{"dataset": "iris", "model": "linear", "status": "succeeded", "attempt": 3}',
        b'{"dataset": "os.system", "model": {"name": "__import__"}}',
        b'{"dataset": "iris", "model": {"name": "mlp", "hidden": [100000]}}',
        b'{"dataset": "iris", "model": "linear", "epochs": 1000000000, "batch_size": 1000000000}',
        b'{"dataset": "iris", "model": "linear", "epochs": true}',
        b'{"dataset": "iris", "model": "linear", "lr": 0.1, "lr": 10}',
        b'{"dataset": "iris", "model": {"name": "mlp", "hidden": [1], "hidden": [2]}}',
        b'{"dataset": "iris", "model": "linear", "labels": {' + b'"a": "b", ' * 50_000 + b'"a": "c"}}',
        b'{"dataset": "iris", "model": "linear", "name": "' + b"a" * 100_000 + b'"}',
    ],
)
def test_a_bad_spec_is_a_422_that_names_its_problems(client: TestClient, body: bytes) -> None:
    answer = client.post("/v1/jobs", content=body, headers=JSON)

    problem = ProblemView.model_validate_json(answer.content)
    assert answer.status_code == 422
    assert problem.code == "invalid_spec"
    assert problem.errors
    assert all(len(error.message) < 1000 for error in problem.errors)


def test_a_name_given_twice_is_named(client: TestClient) -> None:
    body = b'{"dataset": "iris", "model": "linear", "lr": 0.1, "lr": 10, "epochs": 1, "epochs": 1}'
    problem = ProblemView.model_validate_json(client.post("/v1/jobs", content=body, headers=JSON).content)

    assert [error.message for error in problem.errors] == [
        '"lr" is given twice; which one holds?',
        '"epochs" is given twice; which one holds?',
    ]


def test_a_bad_header_and_a_bad_body_are_told_together(client: TestClient) -> None:
    answer = client.post("/v1/jobs", json={**SPEC, "lr": -1}, headers={"Idempotency-Key": "a" * 256})

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_parameter")
    assert [one["pointer"] for one in answer.json()["errors"]] == ["/header/idempotency-key", "/lr"]


def test_a_bad_filter_is_named_also_where_it_is_one_of_many(client: TestClient) -> None:
    problem = ProblemView.model_validate_json(client.get("/v1/jobs?status=failed&status=bogus").content)

    assert problem.errors[0].pointer == "/query/status/1"
    assert problem.detail.startswith("status: ")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "x", ";"])
def test_a_body_that_is_not_called_json_is_a_415(client: TestClient, kind: str) -> None:
    answer = client.post("/v1/jobs", content=json.dumps(SPEC), headers={"Content-Type": kind})

    assert answer.status_code == 415
    assert answer.json()["code"] == "unsupported_media_type"


def test_json_by_another_name_is_read(client: TestClient) -> None:
    kind = {"Content-Type": "application/vnd.api+json; charset=utf-8"}

    assert client.post("/v1/jobs", content=json.dumps(SPEC), headers=kind).status_code == 202


def test_a_database_that_is_away_is_a_503_that_says_when_to_ask_again(connect: Callable[..., TestClient]) -> None:
    client = connect(over=BrokenStore(Unavailable("The database does not answer.")))

    for path in ("/v1/jobs", f"/v1/jobs/job_{'0' * 32}", "/readyz", "/"):
        answer = client.get(path)
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) > 0
        assert answer.json()["detail"] == "The database does not answer."
    assert client.get("/healthz").status_code == 200
    assert "trainwire_watchers" in client.get("/metrics").text


def test_what_nobody_expected_is_a_500_that_tells_nothing_and_a_log_that_tells_all(
    connect: Callable[..., TestClient], caplog: pytest.LogCaptureFixture
) -> None:
    client = connect(over=BrokenStore(RuntimeError("secret SELECT")))
    with caplog.at_level(logging.ERROR):
        answer = client.get("/v1/jobs", headers={"X-Request-ID": "req-7"})

    assert answer.status_code == 500
    assert answer.json()["code"] == "internal_error"
    assert "secret" not in answer.text
    assert answer.headers["X-Request-ID"] == "req-7"
    assert "req-7" in caplog.text
    assert "secret SELECT" in caplog.text


@pytest.mark.parametrize("path", ["/v1/jobs", "/nothing", "/", "/static/jobs.js", "/healthz"])
def test_every_answer_has_a_request_id(client: TestClient, path: str) -> None:
    first, second = client.get(path), client.get(path)

    assert first.headers["X-Request-ID"] != second.headers["X-Request-ID"]
    assert first.headers["X-Content-Type-Options"] == "nosniff"
    assert client.get(path, headers={"X-Request-ID": "a-1.b:c"}).headers["X-Request-ID"] == "a-1.b:c"


@pytest.mark.parametrize("brought", ["", "a b", "x" * 129, "<script>", "a\tb"])
def test_an_odd_request_id_is_replaced(client: TestClient, brought: str) -> None:
    assert client.get("/healthz", headers={"X-Request-ID": brought}).headers["X-Request-ID"] != brought


def test_the_artifacts_of_a_job_that_is_away_are_not_there(client: TestClient, play: Play, store: Store) -> None:
    job = play.ended()

    assert store.artifacts(job.id) == []
    assert client.get(f"/v1/jobs/{job.id}/artifacts/model.safetensors").status_code == 404
