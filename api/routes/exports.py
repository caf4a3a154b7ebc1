"""A job's model in the formats that others read, made on request."""

from __future__ import annotations

import functools
from typing import Annotated

from fastapi import APIRouter, Body, Depends
from fastapi.concurrency import run_in_threadpool
from pydantic import Field
from starlette.responses import Response

from api import docs
from api.answers import json_answer
from api.context import Api, ApiDep
from api.examples import EXPORTS
from api.params import JobId, json_body
from api.render import artifact_json, artifact_path
from api.routes.lineage import Wish
from api.uploads import aside
from api.waiting import check_id
from core import artifacts, exporting
from core.exporting import Format
from core.job import Artifact
from core.views import ArtifactView

router = APIRouter(prefix="/v1/jobs/{job_id}/export", tags=["artifacts"], dependencies=[Depends(json_body)])


class ExportWish(Wish):
    """In which format a model is wanted."""

    noun = "an export"

    format: Format = Field(
        description="safetensors: the weights, which are there already. pt2: a graph for `torch.export.load`. onnx: a "
        "graph for any ONNX runtime. script: a zip of that graph of torch and a `predict.py` that needs torch alone. "
        "tensorboard: the figures of all epochs as an event file, of any job that has ended."
    )


@router.post(
    "",
    operation_id="exportJob",
    status_code=201,
    response_model=ArtifactView,
    responses=docs.headed(201, "The file was made.", "Location")
    | {200: {**docs.headed(200, "It was there before.", "Location")[200], "model": ArtifactView}}
    | docs.job_problems(403, 409, 413, 415, 507),
    openapi_extra=docs.body(EXPORTS),
)
async def export_job(job_id: JobId, api: ApiDep, wish: Annotated[ExportWish, Body()]) -> Response:
    """Make a file of a succeeded job's model, or of a job's curves, and list it among its artifacts; it is made once.

    The answer comes when the file is whole, after some seconds (503 after TRAINWIRE_EXPORT_SECONDS). Graphs take any
    number of rows, already encoded and scaled as `model.json` says; each is tried on rows of the job's data, and kept
    only if it predicts what torch does. A model that cannot be exported is a 422 with the reason.
    """
    check_id(job_id)
    known = await run_in_threadpool(exporting.ready, api.store, job_id, wish.format)
    if known is not None:
        return _told(job_id, known, 200)
    async with api.exports:
        artifact, made = await aside(functools.partial(_export, api, job_id, wish.format))
    return _told(job_id, artifact, 201 if made else 200)


def _told(job_id: str, artifact: Artifact, status: int) -> Response:
    location = {"Location": artifact_path(job_id, artifact.name)}
    return json_answer(artifact_json(job_id, artifact), status, location)


def _export(api: Api, job_id: str, wanted: Format) -> tuple[Artifact, bool]:
    settings = api.settings
    folders = artifacts.folders(settings.artifacts, settings.files)
    limits = exporting.Limits(settings.export_memory_bytes, settings.export_seconds)
    return exporting.export(api.store, folders, job_id, wanted, limits=limits)
