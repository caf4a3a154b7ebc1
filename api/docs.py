"""What the OpenAPI document says of each route beside its own signature."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel

from api.examples import (
    CHANGES,
    DATA_REFUSED,
    DETAILS,
    DRAWN,
    EPOCH,
    EVENTS,
    METRICS_CSV,
    PLANNED,
    PREDICTED,
    REPORTED,
    ROWS_CSV,
    SPEC_REFUSED,
)
from api.problems import MEDIA_TYPE, TITLES
from core.wire import dumps

Responses = dict[int | str, dict[str, Any]]

ANYWHERE = (400, 503)
"""What any route may answer."""
V1 = (*ANYWHERE, 401, 422)
"""What any route under /v1 may answer."""
_HEADERS = {
    "ETag": {"description": "The version of what is shown.", "schema": {"type": "string"}},
    "Location": {"description": "Where it is.", "schema": {"type": "string"}},
    "Idempotent-Replayed": {
        "description": "`true` where this is an earlier answer to the same Idempotency-Key.",
        "schema": {"type": "string", "enum": ["true"]},
    },
}


def problems(*statuses: int) -> Responses:
    """The problems a route may answer with, each with an example, and those that every route may."""
    return {status: _problem(status) for status in sorted({*statuses, *V1})}


def open_problems() -> Responses:
    """The problems of a route that needs no key."""
    return {status: _problem(status) for status in ANYWHERE}


def job_problems(*statuses: int) -> Responses:
    """`problems` for a route of one job, which may not be there or be deleted."""
    return problems(404, 410, *statuses)


def spec_problems(*statuses: int) -> Responses:
    """`problems` for the route that takes a spec."""
    found = problems(*statuses)
    found[422]["content"][MEDIA_TYPE]["example"] |= {
        **_named(422, "invalid_spec", SPEC_REFUSED["message"]),
        "errors": [SPEC_REFUSED],
    }
    return found


def data_problems(*statuses: int) -> Responses:
    """`problems` for the route that takes a file."""
    found = problems(*statuses)
    found[422]["content"][MEDIA_TYPE]["example"] |= {
        **_named(422, "invalid_data", DATA_REFUSED["message"]),
        "errors": [DATA_REFUSED],
    }
    return found


def headed(status: int, description: str, *headers: str) -> Responses:
    """A good answer with its headers."""
    return {status: {"description": description, "headers": {name: _HEADERS[name] for name in headers}}}


QUEUED = headed(202, "The job is queued.", "Location", "ETag", "Idempotent-Replayed")
NOT_MODIFIED: Responses = {304: {"description": "The client has this version.", "headers": {"ETag": _HEADERS["ETag"]}}}
PAST_THE_END: Responses = {204: {"description": "The job has ended and nothing comes behind `after`: stop asking."}}


def text(media_type: str, example: str) -> dict[str, Any]:
    """A body that is no JSON."""
    return {media_type: {"schema": {"type": "string"}, "example": example}}


METRICS: Responses = {
    200: {
        "description": "The figures, one row per epoch.",
        "content": {**text("text/csv", METRICS_CSV), **text("application/jsonl", f"{dumps(EPOCH)}\n")},
    }
}
ROWS: Responses = {200: {"description": "The rows.", "content": text("text/csv", ROWS_CSV)}}
EVENTS_STREAM: Responses = {
    200: {
        "description": "The events, live or as a page.",
        "content": {**text("text/event-stream", EVENTS), **text("text/plain", DRAWN)},
    }
}
CHANGES_STREAM: Responses = {
    200: {"description": "What changed, live or as a page.", "content": text("text/event-stream", CHANGES)}
}
ALL_ENDED: Responses = {204: {"description": "Every named job has ended and was told so: stop asking."}}
FILE: Responses = {
    status: {
        "description": description,
        "content": {"*/*": {"schema": {"type": "string", "format": "binary"}}},
        "headers": {"ETag": {"description": "The SHA-256 of the file.", "schema": {"type": "string"}}},
    }
    for status, description in ((200, "The file."), (206, "The part that `Range` asked for."))
}
FIGURES: Responses = {
    200: {"description": "The figures.", "content": text("text/plain", 'trainwire_jobs{status="queued"} 0.0\n')}
}


PLAN: Responses = {200: {"description": "The plan.", "content": {"application/json": {"example": PLANNED}}}}
_PICTURE = {"schema": {"type": "string", "format": "binary"}}
REPORT: Responses = {
    200: {
        "description": "The report, or a picture of it.",
        "content": {"application/json": {"example": REPORTED}, "image/svg+xml": _PICTURE, "image/png": _PICTURE},
    }
}

PREDICTIONS: Responses = {
    200: {"description": "The predictions.", "content": {"application/json": {"example": PREDICTED}}}
}


def bodies(model: type[BaseModel], others: Iterable[str]) -> dict[str, Any]:
    """A body that is `model` in JSON, or of one of the `others`."""
    binary = {"schema": {"type": "string", "format": "binary"}}
    content = {"application/json": {"schema": model.model_json_schema()}}
    return {"requestBody": {"required": True, "content": {**dict.fromkeys(others, binary), **content}}}


def body(examples: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """What a body may look like."""
    return {"requestBody": {"content": {"application/json": {"examples": examples}}}}


def form(fields: dict[str, Any], *required: str) -> dict[str, Any]:
    """A form as the body."""
    schema = {"type": "object", "properties": fields, "required": list(required), "additionalProperties": False}
    return {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": schema}}}}


def _problem(status: int) -> dict[str, Any]:
    code, detail = DETAILS[status]
    example = _named(status, code, detail)
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemView"}, "example": example}}
    retry = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}}
    return {"description": example["title"], "content": content, **({"headers": retry} if status == 503 else {})}


def _named(status: int, code: str, detail: str) -> dict[str, Any]:
    return {
        "type": f"urn:trainwire:problem:{code}",
        "title": TITLES[code],
        "status": status,
        "detail": detail,
        "code": code,
        "request_id": "6f1f0c2e5d7b4c0f9a3e8b7d6c5a4f3e",
        "errors": [],
    }
