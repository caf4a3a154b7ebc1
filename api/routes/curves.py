"""The curves of several jobs in one request, for comparing many."""

from __future__ import annotations

import functools
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.concurrency import run_in_threadpool
from starlette.responses import Response

from api import docs
from api.answers import digest, json_answer, names, unchanged
from api.context import Api, ApiDep
from api.named import MOST_NAMED, named, parts, standings
from api.params import MOST, IfNoneMatch, JobIds
from api.render import curves_json
from api.thin import places
from core.errors import BadRequest
from core.job import Status
from core.store import Curves
from core.views import CurvesList

router = APIRouter(prefix="/v1/metrics", tags=["watching"])

_NAMES_MAX = 1_000
MOST_FIGURES = 8
LOSSES = "train_loss,val_loss"


@router.get(
    "",
    operation_id="listCurves",
    response_model=CurvesList,
    responses=docs.headed(200, "The curves.", "ETag") | docs.NOT_MODIFIED | docs.problems(404),
)
async def list_curves(
    api: ApiDep,
    *,
    jobs: Annotated[JobIds, Query(description=f"The jobs' ids between commas, {MOST_NAMED} at most.")],
    figures: Annotated[
        str,
        Query(
            max_length=_NAMES_MAX,
            pattern=r"^[^\x00]*$",
            description=f"Names of figures as epochs have them, between commas, {MOST_FIGURES} at most.",
        ),
    ] = LOSSES,
    max_points: Annotated[
        int, Query(ge=2, le=MOST, description="Thin each job to so many epochs; extremes and gaps are kept.")
    ] = 500,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Some figures of many jobs, as columns: what a chart that compares them draws.

    Each job is thinned to `max_points` of its epochs: the first, the last, and of each stretch between the least and
    the greatest value of each figure and the first number that is not finite.
    """
    wanted = _figures(figures)
    stand = await api.read(functools.partial(standings, api.store, named(jobs)))
    told = [
        await run_in_threadpool(_told, api, job_id, pulse.status, wanted, max_points)
        for job_id, pulse in stand.items()
        if pulse is not None
    ]
    text = f'{{"data":[{",".join(told)}]}}'
    etag = digest(text)
    return unchanged(etag) if names(if_none_match, etag) else json_answer(text, headers={"ETag": etag})


def _figures(text: str) -> tuple[str, ...]:
    wanted = parts(text)
    if not 0 < len(wanted) <= MOST_FIGURES:
        message = f"`figures` names {len(wanted)} figures: name 1 to {MOST_FIGURES}, as in figures={LOSSES}."
        raise BadRequest(message, param="figures")
    return wanted


def _told(api: Api, job_id: str, status: Status, figures: tuple[str, ...], points: int) -> str:
    whole = api.store.curves(job_id, figures)
    kept = places(list(whole.figures.values()), points) if len(whole.epochs) > points else range(len(whole.epochs))
    thin = {name: [values[place] for place in kept] for name, values in whole.figures.items()}
    return curves_json(job_id, status, Curves([whole.epochs[place] for place in kept], thin))
