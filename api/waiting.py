"""Long polls: look, wait for the bell, look again."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from api.context import Api
from core.errors import NotFound
from core.ids import is_id
from core.store import Pulse

T = TypeVar("T")


def check_id(job_id: str) -> None:
    """Raise NotFound for what cannot be a job's id."""
    if not is_id(job_id, kind="job"):
        raise _no_job(job_id)


def standing(api: Api, job_id: str) -> Pulse:
    """How a job stands; raises NotFound, and Gone when it was deleted."""
    check_id(job_id)
    pulse = api.store.pulse([job_id]).get(job_id)
    if pulse is None:
        api.store.job(job_id)  # which says whether it never was or was deleted
        raise _no_job(job_id)
    return pulse


@dataclass(frozen=True, slots=True)
class Look(Generic[T]):
    """A read of a job: what to ask, when the answer is enough, and how many rows it may have (None: all)."""

    ask: Callable[[], T]
    enough: Callable[[T], bool]
    rows: int | None = 0


async def look_until(api: Api, job_id: str, look: Look[T], *, wait_s: float) -> T:
    """What a look finds, once it is enough, or after `wait_s` seconds, or when the service stops.

    A lost ring costs at most the hub's poll interval.
    """
    found = await api.read(look.ask, rows=look.rows)
    if wait_s <= 0 or look.enough(found) or not api.hub.open:
        return found
    clock = asyncio.get_running_loop().time
    deadline = clock() + wait_s
    told = (await api.read(functools.partial(standing, api, job_id))).version
    with api.hub.watch(job_id, told=told) as watcher:
        found = await api.read(look.ask, rows=look.rows)
        while not look.enough(found) and (left := deadline - clock()) > 0:
            news = await watcher.news(within_s=left)
            if news.events or news.over:
                found = await api.read(look.ask, rows=look.rows)
            if news.over:
                break
    return found


def _no_job(job_id: str) -> NotFound:
    return NotFound(f"There is no job {job_id[:80]!r}.")
