"""New jobs from old ones: retry one that ended badly, fork one at an epoch."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, Self

from fastapi import APIRouter, Body, Depends
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field, ModelWrapValidatorHandler, ValidationError, model_validator
from starlette.responses import Response

from api import docs
from api.context import Api, ApiDep
from api.examples import FORKS, RETRIES
from api.params import JobId, OnceDep, json_body
from api.queueing import queue_new
from api.waiting import check_id
from core.checks import explain, refuse
from core.epochs import first_epoch, predicts
from core.errors import WrongStatus
from core.spec.patching import patched
from core.store import Fork, Retry, forked_at
from core.views import JobView

router = APIRouter(
    prefix="/v1/jobs/{job_id}",
    tags=["jobs"],
    dependencies=[Depends(json_body)],
)

_EPOCH_MAX = 2_147_483_647


class Wish(BaseModel):
    """What a new job takes from an old one; unknown members are refused by name."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    noun: ClassVar[str]

    @model_validator(mode="wrap")
    @classmethod
    def _explained(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        try:
            return handler(data)
        except ValidationError as error:
            raise refuse("wish", explain(error, cls, noun=cls.noun)) from None


class RetryWish(Wish):
    """Where a retry begins."""

    noun = "a retry"

    start: Literal["checkpoint", "start"] = Field(
        default="checkpoint",
        alias="from",
        description="The job's last checkpoint (the beginning, where it has none), or the beginning.",
    )


class ForkWish(Wish):
    """Where a fork leaves its parent, and what it does differently from there."""

    noun = "a fork"

    epoch: int | None = Field(
        default=None,
        ge=0,
        le=_EPOCH_MAX,
        description="The fork's own epochs begin behind this one of its parent; its last when not given.",
    )
    patch: dict[str, Any] = Field(
        default_factory=dict,
        description="A JSON Merge Patch (RFC 7396) of the parent's spec: objects are merged, null brings a default "
        "back. Other data or shapes are refused. `epochs` counts from the parent's first.",
        examples=[{"lr": 0.01, "epochs": 60}],
    )


@router.post(
    "/retry",
    operation_id="retryJob",
    status_code=202,
    response_model=JobView,
    responses=docs.QUEUED | docs.job_problems(403, 409, 413, 415),
    openapi_extra=docs.body(RETRIES),
)
async def retry_job(
    job_id: JobId, api: ApiDep, once: OnceDep, wish: Annotated[RetryWish | None, Body()] = None
) -> Response:
    """Queue a failed or cancelled job again, as a new job that goes on from its last checkpoint; the old one stays.

    `parent` names the job and the epoch behind which the new one's own epochs begin.
    """
    check_id(job_id)
    retry = Retry(job_id, from_start=wish is not None and wish.start == "start")
    return await run_in_threadpool(queue_new, api, once, lambda: retry)


@router.post(
    "/fork",
    operation_id="forkJob",
    status_code=202,
    response_model=JobView,
    responses=docs.QUEUED | docs.job_problems(403, 409, 413, 415),
    openapi_extra=docs.body(FORKS),
)
async def fork_job(
    job_id: JobId, api: ApiDep, once: OnceDep, wish: Annotated[ForkWish | None, Body()] = None
) -> Response:
    """Queue a new job that is the old one up to the end of an epoch, and differs by `patch` from there.

    It starts from the newest checkpoint at or before that epoch, or from the start, and stores its own epochs from the
    next one on; without a patch they are the old one's own. Whatever status the old job has, it stays as it is.

    A job that predicts has no epochs to fork at (409). Behind that epoch another optimizer, or one under other
    settings, starts with fresh state; a schedule starts anew over the epochs that remain when it, `lr`, `epochs` or
    what sets the number of steps changed. A `notice` event says so for each.
    """
    check_id(job_id)
    return await run_in_threadpool(queue_new, api, once, lambda: _fork(api, job_id, wish or ForkWish()))


def _fork(api: Api, job_id: str, wish: ForkWish) -> Fork:
    """The epoch is judged here too, since a patch is judged by the epoch behind which it applies."""
    parent = api.store.job(job_id)
    if predicts(parent.spec):
        raise WrongStatus(f"Job {job_id} predicts and has no epochs; only a job that trains can be forked.")
    first = first_epoch(parent.parent)
    newest = first if parent.latest is None else int(parent.latest["epoch"])
    epoch = forked_at(job_id, wish.epoch, first=first, newest=newest)
    return Fork(job_id, epoch, patched({**parent.spec, **(parent.resolved or {})}, wish.patch, epoch=epoch))
