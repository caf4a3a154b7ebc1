"""A job's checkpoints: where it can go on, be retried and be forked."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from api import docs
from api.answers import json_answer
from api.context import ApiDep
from api.params import JobId
from api.render import checkpoint_json, page_json
from api.waiting import standing
from core.checkpoint import Checkpoint
from core.views import CheckpointPage

router = APIRouter(prefix="/v1/jobs/{job_id}/checkpoints", tags=["artifacts"])


@router.get("", operation_id="listCheckpoints", response_model=CheckpointPage, responses=docs.job_problems())
async def list_checkpoints(job_id: JobId, api: ApiDep) -> Response:
    """The checkpoints that the job keeps, newest first; those of a fork begin with its parent's."""

    def look() -> list[Checkpoint]:
        standing(api, job_id)
        return api.store.checkpoints(job_id)

    return json_answer(page_json(map(checkpoint_json, await api.read(look))))
