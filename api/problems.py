"""Errors as RFC 9457 problem details: the only place that knows status codes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, cast

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic_core import ErrorDetails
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import Scope

from core.checks import problems
from core.errors import (
    BadRequest,
    DataRefused,
    ExportRefused,
    Gone,
    KeyReused,
    NotFound,
    RowsRefused,
    SpecRefused,
    StorageFull,
    TrainwireError,
    Unavailable,
    WrongStatus,
)
from core.job import Problem

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 2

TITLES = {
    "bad_request": "The request cannot be read",
    "foreign_host": "The Host header names another service",
    "unauthorized": "A key is needed",
    "cross_origin": "Another site sent this request",
    "not_found": "There is no such thing here",
    "method_not_allowed": "The method is not offered here",
    "wrong_status": "This cannot be done as things stand",
    "gone": "What was here was deleted",
    "body_too_large": "The body is too large",
    "unsupported_media_type": "The body is of another type than is taken here",
    "range_not_satisfiable": "The range lies outside the file",
    "invalid_parameter": "A parameter is wrong",
    "invalid_spec": "The spec has problems",
    "invalid_data": "The file has problems",
    "invalid_rows": "What is to be predicted has problems",
    "export_refused": "The model cannot be exported",
    "key_reused": "The Idempotency-Key belongs to another request",
    "internal_error": "Something went wrong in Trainwire",
    "unavailable": "The service cannot answer now",
    "storage_full": "There is no space left",
}
"""Every `code` of a problem with its title."""

_BY_STATUS = {
    400: "bad_request",
    401: "unauthorized",
    403: "cross_origin",
    404: "not_found",
    405: "method_not_allowed",
    409: "wrong_status",
    410: "gone",
    413: "body_too_large",
    415: "unsupported_media_type",
    416: "range_not_satisfiable",
    422: "invalid_parameter",
    503: "unavailable",
    507: "storage_full",
}
_BY_ERROR: tuple[tuple[type[TrainwireError], int, str], ...] = (
    (SpecRefused, 422, "invalid_spec"),
    (DataRefused, 422, "invalid_data"),
    (RowsRefused, 422, "invalid_rows"),
    (ExportRefused, 422, "export_refused"),
    (NotFound, 404, "not_found"),
    (WrongStatus, 409, "wrong_status"),
    (Gone, 410, "gone"),
    (KeyReused, 422, "key_reused"),
    (BadRequest, 422, "invalid_parameter"),
    (Unavailable, 503, "unavailable"),
    (StorageFull, 507, "storage_full"),
)
_SHORT = 200


def problem(  # noqa: PLR0913 - these are the members of RFC 9457
    scope: Scope,
    status: int,
    *,
    detail: str,
    code: str | None = None,
    errors: Sequence[Problem] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A problem as a response; `scope` knows the request's id."""
    code = code or _BY_STATUS.get(status, "internal_error")
    body = {
        "type": f"urn:trainwire:problem:{code}",
        "title": TITLES[code],
        "status": status,
        "detail": detail,
        "code": code,
        "request_id": request_id(scope),
        "errors": [asdict(error) for error in errors],
    }
    extra = {"Retry-After": str(RETRY_AFTER_S)} if status == 503 else {}
    return Response(_text(body), status, {**extra, **(headers or {})}, MEDIA_TYPE)


def request_id(scope: Scope) -> str:
    """The id that this request's answer carries in `X-Request-ID`."""
    found: str = scope.get("state", {}).get("request_id", "")
    return found


def add_handlers(app: FastAPI) -> None:
    """Answer every error that a route raises with a problem."""
    app.add_exception_handler(TrainwireError, _ours)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)


async def _ours(request: Request, error: Exception) -> Response:
    assert isinstance(error, TrainwireError)  # noqa: S101 - starlette's handlers are typed for any exception
    for kind, status, code in _BY_ERROR:
        if isinstance(error, kind):
            return problem(request.scope, status, detail=_detail(error), code=code, errors=_listed(error))
    raise error


def _detail(error: TrainwireError) -> str:
    if isinstance(error, (DataRefused, RowsRefused)) and error.count > 1:
        told, what = len(error.problems), "The file has" if isinstance(error, DataRefused) else "There are"
        return f"{what} {error.count:,} problems" + (f"; these are the first {told}." if told < error.count else ".")
    if isinstance(error, SpecRefused) and len(error.problems) > 1:
        return f"The spec has {len(error.problems)} problems."
    return error.problems[0].message if isinstance(error, SpecRefused) else _told(error)


def _told(error: TrainwireError) -> str:
    """What is wrong and, where it is known, what to do about it."""
    return " ".join(filter(None, [error.message, error.hint]))


def _listed(error: TrainwireError) -> Sequence[Problem]:
    if isinstance(error, (SpecRefused, DataRefused, RowsRefused)):
        return error.problems
    if isinstance(error, KeyReused):
        return (Problem("/header/idempotency-key", _told(error)),)
    if error.param is None:
        return ()
    inner = error.param.startswith("/") or not error.param
    return (Problem(error.param if inner else f"/query/{error.param}", error.message),)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    detail = _PLAIN.get(error.status_code, error.detail)
    headers = {"Allow": _offered(request)} if error.status_code == 405 else error.headers
    return problem(request.scope, error.status_code, detail=detail, headers=headers)


def _offered(request: Request) -> str:
    """The methods of every route at this path; Starlette names only those of the first."""
    methods: set[str] = set()
    for route in request.app.state.routes:
        if route.matches(request.scope)[0] is not Match.NONE:
            methods |= route.methods
    if "GET" in methods:
        methods.add("HEAD")
    return ", ".join(sorted(methods)) or "GET"


_PLAIN = {
    400: "The body cannot be read: send JSON in UTF-8, not nested hundreds deep.",
    404: "There is nothing at this path; GET /docs lists what there is.",
    405: "This path does not offer this method; the Allow header names what it does.",
}


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    found = error.errors()
    if found and found[0]["type"] == "json_invalid":
        place, what = found[0]["loc"][-1], found[0].get("ctx", {}).get("error", "no JSON")
        return problem(request.scope, 400, detail=f"The body is not JSON: {what} at character {place}.")
    if any(one["loc"] == ("body",) and one["type"] == "missing" for one in found):
        return await _ours(request, SpecRefused([Problem("", "Send a spec as the body, in JSON.")]))
    within = problems([cast(ErrorDetails, {**one, "loc": one["loc"][1:]}) for one in found if one["loc"][0] == "body"])
    if len(within) == len(found):
        return await _ours(request, SpecRefused(within))
    errors = [*(_bad_parameter(one) for one in found if one["loc"][0] != "body"), *within]
    return problem(request.scope, 422, detail="; ".join(one.message for one in errors), errors=errors)


def _bad_parameter(error: Mapping[str, Any]) -> Problem:
    pointer = "/" + "/".join(str(step) for step in error["loc"])
    context = {key: value for key, value in error.get("ctx", {}).items() if key != "error"}
    message = f"{error['loc'][1]}: {error['msg']}, not {_shortened(error.get('input'))}."
    return Problem(pointer, message, context or None)


def _shortened(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHORT else f"{text[:_SHORT]}…"


def _text(body: Mapping[str, Any]) -> bytes:
    """JSON in ASCII, since a refused value may hold what UTF-8 cannot (a lone surrogate)."""
    return json.dumps(body, separators=(",", ":"), default=str).encode("ascii")
