"""The pages that people look at; each holds no data where the service has a key and the request brought none."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import Response

from api.context import ApiDep
from api.named import parts
from api.pages.comparing import compared
from api.pages.gallery import gallery
from api.pages.job_facts import job_facts
from api.pages.listing import ORDERS, listed
from api.pages.rendering import admitted, page
from api.pages.settings import chosen
from api.waiting import check_id
from core.epochs import predicts
from core.errors import BadRequest, Gone, NotFound
from core.job import Job, Status
from core.sorting import Sorting
from core.store import JobQuery

router = APIRouter(include_in_schema=False)

SHOWN = 50
LONGEST = 200


@router.get("/")
async def show_jobs(  # noqa: PLR0913 - a list's filters
    request: Request, api: ApiDep, *, status: str = "", q: str = "", order: str = "", after: str = ""
) -> Response:
    """The list of jobs."""
    asked = Sorting(order) if order in set(Sorting) else Sorting.NEWEST
    filters = {"status": status, "q": q, "order": "" if asked is Sorting.NEWEST else asked, "after": after}
    known: dict[str, Any] = {"filters": filters, "statuses": list(Status), "order": asked, "orders": ORDERS}
    if not admitted(request):
        return page(request, "jobs.html", locked=True, **known)
    query = JobQuery(
        limit=SHOWN,
        after=after or None,
        statuses=tuple(one for one in Status if one == status),
        search=q[:LONGEST].replace("\x00", "") or None,
        order=asked,
    )
    try:
        found = await run_in_threadpool(listed, api, query)
    except BadRequest as error:
        return page(request, "missing.html", status=422, title="No such page", sentence=error.message)
    return page(request, "jobs.html", **known, **found)


@router.get("/jobs/{job_id}")
async def show_job(request: Request, job_id: str, api: ApiDep) -> Response:
    """One job."""
    if not admitted(request):
        return page(request, "job.html", chart=True, locked=True, job=None)
    try:
        check_id(job_id)
        job = await run_in_threadpool(api.store.job, job_id)
        facts = await run_in_threadpool(job_facts, api, job, url=str(request.base_url).rstrip("/"))
    except (NotFound, Gone) as error:
        status, title = (410, "Deleted") if isinstance(error, Gone) else (404, "Not here")
        return page(request, "missing.html", status=status, title=title, sentence=error.message)
    return page(request, "job.html", chart=True, **facts)


@router.get("/new")
async def show_new(
    request: Request, api: ApiDep, *, origin: Annotated[str | None, Query(alias="from")] = None
) -> Response:
    """A form for a new job, which may begin as another one was."""
    examples = gallery()
    first = next(iter(examples.values()))[0]
    facts: dict[str, Any] = {"spec": first.spec, "examples": examples, "source": None}
    if not admitted(request):
        return page(request, "new.html", locked=True, **facts)
    if origin is not None:
        try:
            check_id(origin)
            job = await run_in_threadpool(api.store.job, origin)
            facts |= _source(job)
        except (NotFound, Gone) as error:
            facts |= {"missing": error.message}
    return page(request, "new.html", **facts)


def _source(job: Job) -> dict[str, Any]:
    """What a new job takes from another one."""
    if predicts(job.spec):
        return {"missing": f"Job {job.id} predicts, and has no spec to train by."}
    return {"spec": chosen(job.spec), "source": {"id": job.id, "name": job.name}}


@router.get("/compare")
async def show_comparison(
    request: Request, api: ApiDep, *, jobs: Annotated[list[str] | None, Query()] = None
) -> Response:
    """Several jobs beside each other."""
    if not admitted(request):
        return page(request, "compare.html", chart=True, locked=True)
    facts = await run_in_threadpool(compared, api, parts(",".join(jobs or ())))
    return page(request, "compare.html", chart=True, **facts)
