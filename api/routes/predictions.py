"""Predictions: what a trained model says of rows, texts and pictures; of a whole upload in a job of its own."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Body, Depends, Request
from fastapi.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import Response

from api import docs
from api.answers import json_answer
from api.context import Api, ApiDep
from api.examples import WHOLE
from api.params import JobId, OnceDep, json_body
from api.queueing import queue_new
from api.routes.lineage import Wish
from api.specs import device_is_there
from api.waiting import check_id, standing
from core.errors import NotFound, SpecRefused, WrongStatus
from core.job import Problem, Status
from core.serving.asking import TYPES, Ask
from core.serving.wish import PredictWish
from core.spec.predicting import Left, PredictAsk, predict_spec
from core.starting import CARD, WEIGHTS
from core.store import Submit
from core.views import JobView, PredictionsView

router = APIRouter(prefix="/v1/jobs/{job_id}", tags=["predictions"])

PATHS = r"/v1/jobs/[^/]*/predict"
"""Where bodies may be larger than elsewhere."""
_AFTER = dict.fromkeys((Status.FAILED, Status.CANCELLED), "it left no weights")


class WholeWish(PredictAsk, Wish):
    """An upload whose rows are to be predicted, all of them, by a job of its own."""

    noun = "a job that predicts"


@router.post(
    "/predict",
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


@router.post(
    "/predictions",
    operation_id="predictAll",
    status_code=202,
    response_model=JobView,
    dependencies=[Depends(json_body)],
    responses=docs.QUEUED | docs.job_problems(403, 409, 413, 415),
    openapi_extra=docs.body(WHOLE),
)
async def predict_all(job_id: JobId, api: ApiDep, once: OnceDep, wish: Annotated[WholeWish, Body()]) -> Response:
    """Queue a job that predicts every row of an upload; it leaves `predictions.csv`, or `.jsonl`, as an artifact.

    The upload has the columns, or samples of the shape, that the model was trained on; what is missing or of another
    kind comes back at once. The new job is watched, paused, cancelled and retried like any other, and its `spec` says
    under `predict` what it rests on. While it has not ended, neither the job whose weights it uses nor the upload can
    be deleted.
    """
    check_id(job_id)
    return await run_in_threadpool(queue_new, api, once, functools.partial(_whole, api, job_id, wish))


def _whole(api: Api, job_id: str, wish: PredictAsk) -> Submit:
    left, data = _left(api, job_id), api.store.find_dataset(wish.dataset)
    if data is None:
        told = f"There is no dataset {wish.dataset}. Upload its file first: POST /v1/datasets."
        raise SpecRefused([Problem("/dataset", told)])
    device_is_there(api, wish.resources.device)
    trained = api.store.job(job_id).spec
    return Submit(predict_spec(wish, job_id=job_id, trained=trained, left=left, data=data))


def _content_type(request: Request) -> str:
    kind = request.headers.get("content-type", "application/json")
    if kind.partition(";")[0].strip().lower() not in TYPES:
        raise HTTPException(415, f"Send the body as one of {', '.join(TYPES)}.")
    return kind


def _asked(api: Api, job_id: str) -> tuple[Path, str, str]:
    """The folder of the job's files, the SHA-256 of its card, and that of its weights; raises as `_left` does."""
    left = _left(api, job_id)
    return (api.settings.artifacts / left["card"].path).parent, left["card"].sha256, left["weights"].sha256


def _left(api: Api, job_id: str) -> Left:
    """The card and the weights; raises WrongStatus, NotFound, Gone."""
    status = standing(api, job_id).status
    if status is not Status.SUCCEEDED:
        raise WrongStatus(f"The job is {status}: {_AFTER.get(status, 'it has no weights yet')}.")
    files = {file.name: file for file in api.store.artifacts(job_id)}
    if not {CARD, WEIGHTS} <= files.keys():
        raise NotFound(f"Job {job_id} left no weights.")
    return {"card": files[CARD], "weights": files[WEIGHTS]}
