"""What an answer that is not a success means: problem details (RFC 9457) back into the service's own errors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from core.errors import (
    BadRequest,
    DataRefused,
    ExportRefused,
    Gone,
    KeyReused,
    NotAllowed,
    NotFound,
    Refused,
    RowsRefused,
    SpecRefused,
    TrainwireError,
    Unavailable,
    WrongStatus,
)
from core.job import Problem

_BY_STATUS: Mapping[int, type[TrainwireError]] = {
    400: BadRequest,
    401: NotAllowed,
    403: NotAllowed,
    404: NotFound,
    409: WrongStatus,
    410: Gone,
    422: BadRequest,
    429: Unavailable,
    502: Unavailable,
    503: Unavailable,
    504: Unavailable,
}


def refusal(status: int, body: bytes) -> TrainwireError:
    """The error to raise for this answer; its `problem` is the body."""
    problem = _problem(status, body)
    error = _error(status, problem)
    error.problem = problem
    return error


def _error(status: int, problem: Mapping[str, Any]) -> TrainwireError:
    if problem.get("code") == SpecRefused.code:
        return SpecRefused([_one(error) for error in problem["errors"]])
    if problem.get("code") == DataRefused.code:
        return DataRefused([_one(error) for error in problem["errors"]])
    if problem.get("code") == RowsRefused.code:
        return RowsRefused([_one(error) for error in problem["errors"]])
    for plain in (KeyReused, ExportRefused):
        if problem.get("code") == plain.code:
            return plain(problem.get("detail"))
    kind = _BY_STATUS.get(status, Refused if status < 500 else TrainwireError)
    return kind(problem.get("detail") or problem.get("title") or f"The service answered {status}.")


def _one(error: Mapping[str, Any]) -> Problem:
    return Problem(pointer=error["pointer"], message=error["message"], allowed=error.get("allowed"))


def _problem(status: int, body: bytes) -> dict[str, Any]:
    try:
        problem = json.loads(body)
    except ValueError:
        problem = None
    if isinstance(problem, dict):
        return problem
    return {"type": "about:blank", "status": status, "title": f"The service answered {status}.", "errors": []}
