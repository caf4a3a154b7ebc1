"""What the list of jobs shows: a page of them, each with its place in the queue."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from api.context import Api
from api.render import job_json
from core.job import Status
from core.sorting import Sorting
from core.store import JobQuery

ORDERS: Mapping[Sorting, str] = {
    Sorting.NEWEST: "newest first",
    Sorting.OLDEST: "oldest first",
    Sorting.LOSS: "lowest loss first",
    Sorting.LOSS_DOWN: "highest loss first",
    Sorting.FINISHED_DOWN: "last to end first",
    Sorting.FINISHED: "first to end first",
    Sorting.NAME: "names from A to Z",
    Sorting.NAME_DOWN: "names from Z to A",
}
FURTHER: Mapping[Sorting, str] = {Sorting.NEWEST: "Older jobs", Sorting.OLDEST: "Newer jobs"}


def listed(api: Api, query: JobQuery) -> dict[str, Any]:
    """The jobs that `query` asks for as the API tells them, and the cursor of the page behind them."""
    found = api.store.jobs(query)
    places = api.store.places() if any(job.status is Status.QUEUED for job in found.rows) else {}
    told = [json.loads(job_json(job, position=places.get(job.id))) for job in found.rows]
    return {"jobs": told, "next": found.next, "further": FURTHER.get(query.order, "More jobs")}
