"""Jobs that wait: put a new one into the queue, once for each Idempotency-Key, and tell where a job stands there."""

from __future__ import annotations

from collections.abc import Callable

from starlette.responses import Response

from api.answers import json_answer, weak
from api.context import Api
from api.render import job_json, job_path
from core.job import Job, Status
from core.store import Once, Wish


def queue_new(api: Api, once: Once | None, wish: Callable[[], Wish]) -> Response:
    """202 with the new job; for a key that came before the answer of that time, whatever would be refused by now."""
    made = None if once is None else api.store.answered(once)
    made = made or api.store.create(wish(), told=_told, once=once)
    # also for a repeated answer: whoever gave it first may have died before it rang
    api.work_bell.ring(made.queue)
    api.watch_bell.ring(made.job_id)
    headers = {"Location": job_path(made.job_id), "ETag": weak(made.version)}
    return json_answer(made.text, 202, {**headers, **({"Idempotent-Replayed": "true"} if made.replayed else {})})


def _told(job: Job, position: int | None, waiting_for: str | None) -> str:
    return job_json(job, position=position, waiting_for=waiting_for)


def whole_job(api: Api, job: Job) -> str:
    """A job as `JobView` documents it, with its place in the queue."""
    if job.status is not Status.QUEUED:
        return job_json(job)
    return job_json(job, position=api.store.position(job), waiting_for=api.store.waiting_for(job))
