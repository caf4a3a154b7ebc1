"""Long polls: look, wait for the bell, look again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from api.context import Api
from core.errors import NotFound
from core.ids import is_id
from core.store import Pulse

T = TypeVar("T")


def check_id(job_id: str) -> None:
    """Raise NotFound for what cannot be a job's id."""
    if not is_id(job_id, kind="job"):
        raise _no_job(job_id)


async def standing(api: Api, job_id: str) -> Pulse:
    """How a job stands; raises NotFound."""
    check_id(job_id)
    pulse = (await api.read(api.store.pulse, [job_id])).get(job_id)
    if pulse is None:
        raise _no_job(job_id)
    return pulse


async def look_until(api: Api, job_id: str, *, look: Callable[[], T], enough: Callable[[T], bool], wait_s: float) -> T:
    """What `look` finds, once it is enough, or after `wait_s` seconds, or when the service stops.

    A lost ring costs at most the hub's poll interval.
    """
    found = await api.read(look)
    if wait_s <= 0 or enough(found) or not api.hub.open:
        return found
    clock = asyncio.get_running_loop().time
    deadline = clock() + wait_s
    told = (await standing(api, job_id)).version
    with api.hub.watch(job_id, told=told) as watcher:
        found = await api.read(look)
        while not enough(found) and (left := deadline - clock()) > 0:
            news = await watcher.news(within_s=left)
            if news.events or news.over:
                found = await api.read(look)
            if news.over:
                break
    return found


def _no_job(job_id: str) -> NotFound:
    return NotFound(f"There is no job {job_id[:80]!r}.")
