"""The OpenAPI document: the committed one is the app's, ids are stable, every error has an example."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import bare_app
from api.openapi import as_text
from api.schema import document
from core.views import ProblemView

COMMITTED = Path(__file__).parents[2] / "docs" / "openapi.json"
OPERATIONS = {
    "createJob": "POST /v1/jobs",
    "listJobs": "GET /v1/jobs",
    "getJob": "GET /v1/jobs/{job_id}",
    "cancelJob": "POST /v1/jobs/{job_id}/cancel",
    "listMetrics": "GET /v1/jobs/{job_id}/metrics",
    "streamEvents": "GET /v1/jobs/{job_id}/events",
    "streamLogs": "GET /v1/jobs/{job_id}/logs",
    "listArtifacts": "GET /v1/jobs/{job_id}/artifacts",
    "downloadArtifact": "GET /v1/jobs/{job_id}/artifacts/{name}",
    "getCatalog": "GET /v1/catalog",
    "listWorkers": "GET /v1/workers",
    "getHealth": "GET /healthz",
    "getReadiness": "GET /readyz",
    "getVersion": "GET /version",
    "getPrometheusMetrics": "GET /metrics",
}


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    return document(bare_app())


def _operations(found: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [(method, path, one) for path, methods in found["paths"].items() for method, one in methods.items()]


def test_the_committed_document_is_that_of_the_app(found: dict[str, Any]) -> None:
    assert COMMITTED.read_text() == as_text(found), "run `make openapi`"


def test_the_served_document_is_the_committed_one(client: TestClient) -> None:
    assert client.get("/openapi.json").json() == json.loads(COMMITTED.read_text())


def test_operation_ids_are_stable(found: dict[str, Any]) -> None:
    ids = {one["operationId"]: f"{method.upper()} {path}" for method, path, one in _operations(found)}

    assert ids == OPERATIONS


def test_every_error_is_a_problem_with_an_example(found: dict[str, Any]) -> None:
    for _, path, operation in _operations(found):
        errors = {status: one for status, one in operation["responses"].items() if status >= "400"}
        assert {"400", "503"} <= set(errors), path
        assert {"401", "422"} <= set(errors) or not path.startswith("/v1/")
        for status, error in errors.items():
            content = error["content"]["application/problem+json"]
            assert content["schema"] == {"$ref": "#/components/schemas/ProblemView"}
            assert ProblemView.model_validate(content["example"]).status == int(status)


def test_every_example_spec_is_accepted(found: dict[str, Any], client: TestClient) -> None:
    examples = found["paths"]["/v1/jobs"]["post"]["requestBody"]["content"]["application/json"]["examples"]

    assert len(examples) >= 3
    for example in examples.values():
        assert client.post("/v1/jobs", json=example["value"]).status_code == 202


def test_statuses_are_an_enum_and_parts_a_discriminated_union(found: dict[str, Any]) -> None:
    schemas = found["components"]["schemas"]

    assert set(schemas["Status"]["enum"]) >= {"queued", "pausing", "paused", "cancelling", "succeeded"}
    assert "diverged" in schemas["Reason"]["enum"]
    assert "discriminator" in json.dumps(schemas["JobSpec"]["properties"]["model"])


def test_the_key_is_asked_for_where_it_is_needed(found: dict[str, Any]) -> None:
    for _, path, operation in _operations(found):
        assert ({"key": []} in operation["security"]) == path.startswith("/v1/")
