"""Plans: what a job would be and cost, without one."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends, Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import Response

from api import docs
from api.answers import json_answer
from api.context import Api, ApiDep
from api.examples import SPECS
from api.params import json_body
from api.problems import problem
from api.specs import Spec, resolved
from api.uploads import look_at_files
from core.pace import pace_key
from core.planning import place, plan
from core.views import PlanView
from core.wire import dumps

router = APIRouter(prefix="/v1/jobs/plan", tags=["jobs"])


@router.post(
    "",
    operation_id="planJob",
    response_model=PlanView,
    dependencies=[Depends(json_body)],
    responses=docs.PLAN | docs.spec_problems(403, 413, 415),
    openapi_extra=docs.body(SPECS),
)
async def plan_job(spec: Spec, api: ApiDep) -> Response:
    """What a job of this spec would be, at once and by arithmetic: nothing is queued or kept.

    The body is that of `POST /v1/jobs`, and so are the problems. `memory` is what the run will take, `seconds` what
    epochs of the same cost took in earlier jobs, `runs_on` who could run it now.
    """
    await look_at_files(api, spec)
    return json_answer(dumps(await run_in_threadpool(_planned, api, spec)))


def _planned(api: Api, asked: Any) -> dict[str, Any]:
    spec = resolved(api, asked)
    there = place(spec, api.store.workers())
    kind = None if there is None else there.kind
    return plan(spec, there, api.store.pace(pace_key(spec.model_dump(mode="json")), device=kind))


@router.api_route("", methods=["GET", "HEAD", "PUT", "PATCH", "DELETE"], include_in_schema=False)
async def only_post(request: Request) -> Response:
    """The path would else be that of a job named `plan`."""
    return problem(request.scope, 405, detail="A plan is asked for by POST.", headers={"Allow": "POST"})
