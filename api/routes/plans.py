"""Plans: what a job would be and cost, without one."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import Response

from api import docs
from api.answers import json_answer
from api.context import Api, ApiDep
from api.examples import SPECS
from api.params import json_body
from api.probing import tried_out
from api.problems import problem
from api.specs import Spec, resolved
from api.uploads import look_at_files
from core.errors import Unavailable
from core.pace import Pace, pace_key
from core.planning import place, plan, reckoned
from core.spec import JobSpec
from core.views import PlanView
from core.wire import dumps

router = APIRouter(prefix="/v1/jobs/plan", tags=["jobs"])

Probe = Annotated[bool, Query(description="Have a worker try it out: waits for a few batches, at most 30 s.")]


@router.post(
    "",
    operation_id="planJob",
    response_model=PlanView,
    dependencies=[Depends(json_body)],
    responses=docs.PLAN | docs.spec_problems(403, 413, 415),
    openapi_extra=docs.body(SPECS),
)
async def plan_job(request: Request, spec: Spec, api: ApiDep, *, probe: Probe = False) -> Response:
    """What a job of this spec would be, at once and by arithmetic: nothing is queued or kept.

    The body is that of `POST /v1/jobs`, and so are the problems. `memory` is what the run will take, `seconds` what
    epochs of the same cost took in earlier jobs, `runs_on` who could run it now. With `probe` a worker that could run
    it tries it out: it reads the data, takes a few steps in some seconds and leaves nothing; `memory` and `seconds` are
    then measured. It waits for a free slot, and gives way to jobs; 503 when there was none within 30 seconds.
    """
    await look_at_files(api, spec)
    asked = await run_in_threadpool(resolved, api, spec)
    there = place(asked, await run_in_threadpool(api.store.workers))
    if probe and there is None:
        raise Unavailable("No live worker could run this job, so none can try it out.")
    alone = asked.resources.processes == 1
    tried = await tried_out(api, request, reckoned(asked)) if probe and alone else None
    pace = await run_in_threadpool(_pace, api, asked, None if there is None else there.kind)
    baseline_bytes = await run_in_threadpool(api.store.baseline_bytes)
    return json_answer(dumps(plan(asked, there, pace, tried, baseline_bytes=baseline_bytes)))


def _pace(api: Api, spec: JobSpec, kind: str | None) -> Pace | None:
    return api.store.pace(pace_key(spec.model_dump(mode="json")), device=kind)


@router.api_route("", methods=["GET", "HEAD", "PUT", "PATCH", "DELETE"], include_in_schema=False)
async def only_post(request: Request) -> Response:
    """The path would else be that of a job named `plan`."""
    return problem(request.scope, 405, detail="A plan is asked for by POST.", headers={"Allow": "POST"})
