"""What can be done to a job: pause, resume, cancel and delete it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.concurrency import run_in_threadpool
from starlette.background import BackgroundTask
from starlette.responses import Response

from api import docs
from api.answers import json_answer, weak
from api.context import Api, ApiDep
from api.params import JobId
from api.queueing import whole_job
from api.waiting import check_id
from core.errors import TrainwireError
from core.housekeeping import remove as remove_files
from core.job import Job, Status
from core.views import JobView

log = logging.getLogger("trainwire.api")

router = APIRouter(prefix="/v1/jobs/{job_id}", tags=["jobs"])

Force = Annotated[
    bool, Query(description="Kill the run now: what it has done since its last checkpoint and epoch is lost.")
]

_ON_THE_WAY = frozenset({Status.PAUSING, Status.CANCELLING})


def _said(done: str, asked: str | None = None) -> dict[str, Any]:
    """What a verb's route answers: 200 when it is done, 202 when a worker has been asked, and its problems."""
    responses = docs.headed(200, done, "ETag") | docs.job_problems(403, 409)
    if asked is not None:
        responses[202] = {**docs.headed(202, asked, "ETag")[202], "model": JobView}
    return {"response_model": JobView, "responses": responses}


@router.post(
    "/pause", operation_id="pauseJob", **_said("The job is paused.", "Its worker stops it behind a checkpoint.")
)
async def pause_job(job_id: JobId, api: ApiDep) -> Response:
    """Pause a job: at once when it waits (200), else as soon as its worker has taken a checkpoint (202); repeatable.

    A paused job holds no slot and waits until it is resumed or cancelled.
    """
    return await _do(api, job_id, lambda: api.store.pause(job_id))


@router.post("/resume", operation_id="resumeJob", **_said("The job is queued, or runs on."))
async def resume_job(job_id: JobId, api: ApiDep) -> Response:
    """Let a paused job go on from its last checkpoint, or take a pause back that is still on its way; repeatable."""
    return await _do(api, job_id, lambda: api.store.resume(job_id))


@router.post("/cancel", operation_id="cancelJob", **_said("The job is cancelled.", "Its worker is stopping it."))
async def cancel_job(job_id: JobId, api: ApiDep, *, force: Force = False) -> Response:
    """Cancel a job: at once when it waits (200), else as soon as its worker has stopped it (202); repeatable.

    What it has made up to there stays: its epochs, and its checkpoints, from which it can be retried or forked.
    """
    return await _do(api, job_id, lambda: api.store.cancel(job_id, force=force))


@router.delete("", operation_id="deleteJob", status_code=204, responses=docs.problems(403, 404, 409))
async def delete_job(job_id: JobId, api: ApiDep) -> Response:
    """Delete an ended job: its log, its figures and its files; repeatable. Whoever asks for it from then on gets a 410.

    Forks and retries of it stay as they are. Refused while a job that has not ended starts from its weights.
    """
    check_id(job_id)
    await run_in_threadpool(_delete, api, job_id)
    return Response(status_code=204, background=BackgroundTask(_tidy_behind, api, job_id))


def _delete(api: Api, job_id: str) -> None:
    api.store.delete(job_id)
    api.watch_bell.ring(job_id)


def _tidy_behind(api: Api, job_id: str) -> None:
    """Remove the files once the answer is out: they may be many, and what stays now goes at the next housekeeping."""
    try:
        remove_files(api.store, api.settings.artifacts, job_id)
    except (OSError, TrainwireError):
        log.warning("the files of the deleted job %s stay until the next housekeeping", job_id, exc_info=True)


async def _do(api: Api, job_id: str, verb: Callable[[], Job]) -> Response:
    check_id(job_id)
    return await run_in_threadpool(_done, api, verb)


def _done(api: Api, verb: Callable[[], Job]) -> Response:
    job = verb()
    api.watch_bell.ring(job.id)
    if job.status is Status.QUEUED:
        api.work_bell.ring(job.queue)
    status = 202 if job.status in _ON_THE_WAY else 200
    return json_answer(whole_job(api, job), status, {"ETag": weak(job.version)})
