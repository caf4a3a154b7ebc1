"""Jobs: queue one, list them, look at one."""

from __future__ import annotations

import functools
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import Response

from api import docs
from api.answers import digest, json_answer, names, next_link, unchanged, weak
from api.context import Api, ApiDep
from api.examples import SPECS
from api.params import IfNoneMatch, JobId, OnceDep, Wait, json_body
from api.queueing import queue_new, whole_job
from api.render import job_json, page_json
from api.specs import Spec, resolved
from api.uploads import look_at_files
from api.waiting import Look, check_id, look_until
from core.errors import BadRequest
from core.job import Job, Status
from core.sorting import Sorting
from core.store import JobQuery, Submit
from core.views import JobPage, JobView

router = APIRouter(prefix="/v1/jobs", tags=["jobs"])

MOST_JOBS = 1000
_NAME_MAX = 200


Text = Annotated[str, Query(max_length=_NAME_MAX, pattern=r"^[^\x00]*$")]


@router.post(
    "",
    operation_id="createJob",
    status_code=202,
    response_model=JobView,
    dependencies=[Depends(json_body)],
    responses=docs.QUEUED | docs.spec_problems(403, 413, 415),
    openapi_extra=docs.body(SPECS),
)
async def create_job(spec: Spec, api: ApiDep, once: OnceDep) -> Response:
    """Queue a job; a worker takes it up at once if one is free.

    Only `dataset` and `model` are required; the answer's `spec` shows every default filled in. All problems of a spec
    come back at once. The answer's `Location` is where the job is.
    """
    await look_at_files(api, spec)
    return await run_in_threadpool(queue_new, api, once, functools.partial(_submit, api, spec))


def _submit(api: Api, asked: Any) -> Submit:
    return Submit(resolved(api, asked))


@router.get(
    "",
    operation_id="listJobs",
    response_model=JobPage,
    responses=docs.headed(200, "The jobs.", "ETag") | docs.NOT_MODIFIED | docs.problems(),
)
async def list_jobs(  # noqa: PLR0913 - a list's filters
    request: Request,
    api: ApiDep,
    *,
    limit: Annotated[int, Query(ge=1, le=MOST_JOBS, description="Jobs at most.")] = 100,
    after: Annotated[Text | None, Query(description="A page's `next`: read on behind it.")] = None,
    status: Annotated[list[Status] | None, Query(description="Only these statuses; may be repeated.")] = None,
    name: Annotated[Text | None, Query(description="Only jobs of this name.")] = None,
    label: Annotated[
        list[Text] | None, Query(description="Only jobs with this label, as `key:value`; may be repeated.")
    ] = None,
    q: Annotated[
        Text | None,
        Query(description="Only jobs whose name or id has this in it, in capitals or not; a page may then hold fewer."),
    ] = None,
    order: Annotated[
        Sorting,
        Query(
            description="Newest first (`desc`), oldest first (`asc`), or by `name`, by the `loss` of the best epoch or "
            "by when they `finished`, with `-` from the highest down; jobs without that figure come last."
        ),
    ] = Sorting.NEWEST,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """List jobs, newest first; page on with `after` in the same order, at the same cost however long the history is.

    A search (`q`) looks through 10,000 jobs a page: where `has_more` says so there are more to look through.
    """
    query = JobQuery(
        limit=limit,
        after=after,
        statuses=tuple(status or ()),
        name=name,
        labels=dict(_label(text) for text in label or ()),
        order=order,
        search=q or None,
    )
    text, following = await run_in_threadpool(_page, api, query)
    etag = digest(text)
    if names(if_none_match, etag):
        return unchanged(etag)
    return json_answer(text, headers={"ETag": etag, **next_link(request, following)})


def _page(api: Api, query: JobQuery) -> tuple[str, str | None]:
    page = api.store.jobs(query)
    # Without places in the queue: each would be a query of its own, and the longer the queue the slower.
    return page_json(map(job_json, page.rows), after=page.next), page.next


def _label(text: str) -> tuple[str, str]:
    key, colon, value = text.partition(":")
    if not colon:
        raise BadRequest(f"{text!r} is no label; write it as key:value.", param="label")
    return key, value


@router.get(
    "/{job_id}",
    operation_id="getJob",
    response_model=JobView,
    responses=docs.headed(200, "The job.", "ETag") | docs.NOT_MODIFIED | docs.job_problems(),
)
async def get_job(job_id: JobId, api: ApiDep, *, wait: Wait = 0, if_none_match: IfNoneMatch = None) -> Response:
    """How a job stands.

    `ETag` is its version, which moves with each event of its log. With `wait` and `If-None-Match` the answer comes at
    the next version, or is a 304 after `wait` seconds; with `wait` alone, at the next change.
    """
    check_id(job_id)
    ask = functools.partial(api.store.job, job_id)
    known = None if if_none_match or not wait else (await api.read(ask)).version

    def enough(job: Job) -> bool:
        old = job.version == known if if_none_match is None else names(if_none_match, weak(job.version))
        return job.status.ended or not old

    job = await look_until(api, job_id, Look(ask, enough), wait_s=wait)
    etag = weak(job.version)
    if names(if_none_match, etag):
        return unchanged(etag)
    return json_answer(await api.read(lambda: whole_job(api, job)), headers={"ETag": etag})
