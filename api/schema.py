"""The OpenAPI document of the routes, with what FastAPI cannot know of them."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

from api.guards import is_public
from core.spec.predicting import PredictSpec
from core.views import ProblemView

TITLE = "Trainwire"
DESCRIPTION = """Train PyTorch models over HTTP: POST a job spec, watch the losses arrive, take the model home.

Errors are `application/problem+json` (RFC 9457) with a stable `code`; every answer carries `X-Request-ID`.
A POST that makes a job takes an `Idempotency-Key`, which makes it safe to repeat. A deleted job is a 410.
Times are RFC 3339 in UTC, durations end in `_s`. JSON has no NaN: such a number is null and named under `nonfinite`.
"""
TAGS = [
    {
        "name": "jobs",
        "description": "Queue, list and look at jobs; pause, resume, cancel, retry, fork and delete them.",
    },
    {"name": "predictions", "description": "What a trained model says of rows, texts and pictures."},
    {"name": "watching", "description": "Figures, events and printed lines, by polling or live."},
    {"name": "artifacts", "description": "The files that a job made, and the checkpoints from which it can go on."},
    {"name": "datasets", "description": "Data of your own: upload files, see what is in them, train on them."},
    {"name": "service", "description": "Parts and workers."},
    {"name": "operations", "description": "For those who run the service."},
]


_UNNAMED: tuple[tuple[type[BaseModel], Literal["validation", "serialization"]], ...] = (
    (ProblemView, "serialization"),
    (PredictSpec, "validation"),  # as that of JobSpec, whose parts it shares
)


def document(app: FastAPI) -> dict[str, Any]:
    """The app's OpenAPI document, with the problem model and where the key is needed."""
    if app.openapi_schema is None:
        found = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes, tags=TAGS
        )
        components = found.setdefault("components", {})
        components.setdefault("schemas", {})
        components["schemas"] |= _schemas()
        # The model says "any object", so that the client need not know the parts of the server.
        specs = [{"$ref": f"#/components/schemas/{name}"} for name in ("JobSpec", "PredictSpec")]
        components["schemas"]["JobView"]["properties"]["spec"] = {"anyOf": specs}
        components["securitySchemes"] = {
            "key": {"type": "http", "scheme": "bearer", "description": "The service's key, where it has one."}
        }
        for path, operations in found["paths"].items():
            for operation in operations.values():
                operation["security"] = [] if is_public(path) else [{"key": []}, {}]
        app.openapi_schema = found
    return app.openapi_schema


def _schemas() -> dict[str, Any]:
    """Of what no route names in its signature."""
    found: dict[str, Any] = {}
    for model, mode in _UNNAMED:
        schema = model.model_json_schema(mode=mode, ref_template="#/components/schemas/{model}")
        found |= {**schema.pop("$defs", {}), model.__name__: schema}
    return found
