"""What the list of jobs shows: a page of them, each with its place in the queue."""

from __future__ import annotations

import json
from typing import Any

from api.context import Api
from api.render import job_json
from core.job import Status
from core.store import JobQuery


def listed(api: Api, query: JobQuery) -> dict[str, Any]:
    """The jobs that `query` asks for as the API tells them, and the cursor of the page behind them."""
    found = api.store.jobs(query)
    places = api.store.places() if any(job.status is Status.QUEUED for job in found.rows) else {}
    return {"jobs": [json.loads(job_json(job, position=places.get(job.id))) for job in found.rows], "next": found.next}
