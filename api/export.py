"""A job's whole history as lines, read in pages so that no read is long."""

from __future__ import annotations

import csv
import functools
import io
from collections.abc import AsyncIterator, Sequence
from typing import Literal

from fastapi.concurrency import run_in_threadpool

from api.context import Api
from api.params import LIMIT
from api.render import epoch_json
from api.thin import thinned
from core.job import EpochRow

MEDIA_TYPES = {"jsonl": "application/jsonl", "csv": "text/csv"}

_EMPTY = EpochRow(1, 0.0, 0.0, {}, 0.0, 0.0, 0.0, 0.0)


async def lines(  # noqa: PLR0913 - what a client may ask of an export
    api: Api, job_id: str, *, kind: Literal["jsonl", "csv"], after: int, limit: int | None, points: int | None
) -> AsyncIterator[str]:
    """The rows behind `after` in text, a page at a time; CSV has a header and NaN, inf and -inf as they are."""
    first = True
    async for rows in _pages(api, job_id, after=after, limit=limit, points=points):
        yield _csv(rows, header=first) if kind == "csv" else "".join(f"{epoch_json(row)}\n" for row in rows)
        first = False
    if first and kind == "csv":
        yield _csv([_EMPTY], header=True).partition("\n")[0] + "\n"


async def _pages(
    api: Api, job_id: str, *, after: int, limit: int | None, points: int | None
) -> AsyncIterator[Sequence[EpochRow]]:
    if points is not None:
        yield thinned(await run_in_threadpool(api.store.epochs, job_id, after=after, limit=limit), points)
        return
    left = limit
    while left is None or left > 0:
        page = LIMIT if left is None else min(left, LIMIT)
        rows = await api.read(functools.partial(api.store.epochs, job_id, after=after, limit=page))
        if rows:
            yield rows
            after = rows[-1].epoch
        if len(rows) < page:
            return
        left = None if left is None else left - page


def _csv(rows: Sequence[EpochRow], *, header: bool) -> str:
    out = io.StringIO()
    if not rows:
        return ""
    writer = csv.DictWriter(out, list(rows[0].public()), restval="", extrasaction="ignore", lineterminator="\n")
    if header:
        writer.writeheader()
    writer.writerows(row.public() for row in rows)
    return out.getvalue()
