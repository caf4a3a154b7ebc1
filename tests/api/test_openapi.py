"""The OpenAPI document: the committed one is the app's, ids are stable, every error has an example."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import bare_app
from api.examples import SPECS
from api.openapi import as_text
from api.schema import document
from core.views import ProblemView
from tests.api.playing import Play

COMMITTED = Path(__file__).parents[2] / "docs" / "openapi.json"
OPERATIONS = {
    "createJob": "POST /v1/jobs",
    "planJob": "POST /v1/jobs/plan",
    "listJobs": "GET /v1/jobs",
    "getJob": "GET /v1/jobs/{job_id}",
    "deleteJob": "DELETE /v1/jobs/{job_id}",
    "pauseJob": "POST /v1/jobs/{job_id}/pause",
    "resumeJob": "POST /v1/jobs/{job_id}/resume",
    "cancelJob": "POST /v1/jobs/{job_id}/cancel",
    "retryJob": "POST /v1/jobs/{job_id}/retry",
    "forkJob": "POST /v1/jobs/{job_id}/fork",
    "predict": "POST /v1/jobs/{job_id}/predict",
    "predictAll": "POST /v1/jobs/{job_id}/predictions",
    "listMetrics": "GET /v1/jobs/{job_id}/metrics",
    "listCurves": "GET /v1/metrics",
    "streamEvents": "GET /v1/jobs/{job_id}/events",
    "streamChanges": "GET /v1/events",
    "streamLogs": "GET /v1/jobs/{job_id}/logs",
    "listCheckpoints": "GET /v1/jobs/{job_id}/checkpoints",
    "listArtifacts": "GET /v1/jobs/{job_id}/artifacts",
    "getReport": "GET /v1/jobs/{job_id}/report",
    "downloadArtifact": "GET /v1/jobs/{job_id}/artifacts/{name}",
    "exportJob": "POST /v1/jobs/{job_id}/export",
    "uploadDataset": "POST /v1/datasets",
    "listDatasets": "GET /v1/datasets",
    "getDataset": "GET /v1/datasets/{dataset_id}",
    "listRows": "GET /v1/datasets/{dataset_id}/rows",
    "downloadDataset": "GET /v1/datasets/{dataset_id}/file",
    "deleteDataset": "DELETE /v1/datasets/{dataset_id}",
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


def test_every_route_of_a_job_may_find_it_gone_but_the_one_that_deletes_it(found: dict[str, Any]) -> None:
    for method, path, operation in _operations(found):
        told = {"404", "410"} & set(operation["responses"])
        if "{job_id}" in path:
            assert told == ({"404"} if method == "delete" else {"404", "410"}), path


def test_whatever_makes_a_job_takes_an_idempotency_key(found: dict[str, Any]) -> None:
    making = {
        one["operationId"]: one
        for _, _, one in _operations(found)
        if "Location" in one["responses"].get("202", {}).get("headers", {})
    }
    assert set(making) == {"createJob", "retryJob", "forkJob", "predictAll"}
    for operation in making.values():
        (key,) = [one for one in operation["parameters"] if one["in"] == "header"]
        assert (key["name"], key["required"]) == ("idempotency-key", False)
        assert "Idempotent-Replayed" in operation["responses"]["202"]["headers"]


def test_every_example_spec_is_accepted(found: dict[str, Any], client: TestClient) -> None:
    examples = found["paths"]["/v1/jobs"]["post"]["requestBody"]["content"]["application/json"]["examples"]

    assert len(examples) >= 3
    for example in examples.values():
        assert client.post("/v1/jobs", json=example["value"]).status_code == 202


@pytest.mark.parametrize("verb", ["retry", "fork"])
def test_every_example_of_a_new_job_from_an_old_one_is_accepted(
    found: dict[str, Any], client: TestClient, play: Play, verb: str
) -> None:
    body = found["paths"][f"/v1/jobs/{{job_id}}/{verb}"]["post"]["requestBody"]
    old = play.failed(after=8, **SPECS["digits"]["value"])

    for example in body["content"]["application/json"]["examples"].values():
        answer = client.post(f"/v1/jobs/{old.id}/{verb}", json=example["value"])
        assert answer.status_code == 202, answer.json()


def test_statuses_are_an_enum_and_parts_a_discriminated_union(found: dict[str, Any]) -> None:
    schemas = found["components"]["schemas"]

    assert set(schemas["Status"]["enum"]) >= {"queued", "pausing", "paused", "cancelling", "succeeded"}
    assert "diverged" in schemas["Reason"]["enum"]
    assert "discriminator" in json.dumps(schemas["JobSpec"]["properties"]["model"])


def test_the_key_is_asked_for_where_it_is_needed(found: dict[str, Any]) -> None:
    for _, path, operation in _operations(found):
        assert ({"key": []} in operation["security"]) == path.startswith("/v1/")
