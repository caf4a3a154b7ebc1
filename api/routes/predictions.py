"""Predictions: what a trained model says of rows, texts and pictures."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from api import docs
from api.answers import json_answer
from api.context import Api, ApiDep
from api.params import JobId
from api.waiting import standing
from core.errors import NotFound, WrongStatus
from core.job import Status
from core.serving.asking import TYPES, Ask
from core.serving.wish import PredictWish
from core.starting import CARD, WEIGHTS
from core.views import PredictionsView

router = APIRouter(prefix="/v1/jobs/{job_id}/predict", tags=["predictions"])

PATHS = r"/v1/jobs/[^/]*/predict"
"""Where bodies may be larger than elsewhere."""
_AFTER = dict.fromkeys((Status.FAILED, Status.CANCELLED), "it left no weights")


@router.post(
    "",
    operation_id="predict",
    response_model=PredictionsView,
    responses=docs.PREDICTIONS | docs.job_problems(403, 409, 413, 415),
    openapi_extra=docs.bodies(PredictWish, TYPES),
)
async def predict(job_id: JobId, request: Request, api: ApiDep) -> Response:
    """Let a job that has succeeded predict, by the weights that it left and all that was done to its training data.

    The body is JSON with `rows`, `texts` or `text`; a CSV or TSV with its header, JSON lines, a plain text, a picture,
    or a form with several. What is wrong comes back at once, each problem with its row and column (`/rows/3/age`). The
    first request loads the model; it then stays in memory.
    """
    kind = _content_type(request)
    ask = await api.read(lambda: _asked(api, job_id))
    body = await request.body()
    return json_answer(await api.predictor.answer(Ask(job_id, *ask, kind, body)))


def _content_type(request: Request) -> str:
    kind = request.headers.get("content-type", "application/json")
    if kind.partition(";")[0].strip().lower() not in TYPES:
        raise HTTPException(415, f"Send the body as one of {', '.join(TYPES)}.")
    return kind


def _asked(api: Api, job_id: str) -> tuple[Path, str, str]:
    """The folder of the job's files, the SHA-256 of its card, and that of its weights.

    Raises WrongStatus, NotFound, Gone.
    """
    status = standing(api, job_id).status
    if status is not Status.SUCCEEDED:
        raise WrongStatus(f"The job is {status}: {_AFTER.get(status, 'it has no weights yet')}.")
    files = {file.name: file for file in api.store.artifacts(job_id)}
    if not {CARD, WEIGHTS} <= files.keys():
        raise NotFound(f"Job {job_id} left no weights.")
    card = files[CARD]
    return (api.settings.artifacts / card.path).parent, card.sha256, files[WEIGHTS].sha256
