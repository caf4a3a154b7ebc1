"""What the page of a comparison shows: jobs beside each other, by what differs and by how well they do."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from api.context import Api
from api.pages.settings import differing
from api.pages.words import metric
from api.render import job_json
from api.waiting import check_id
from core.errors import Gone, NotFound
from core.registry import metrics

MOST = 200
"""Jobs at a time: each is a curve."""
_LOSSES = ("train_loss", "val_loss")


def ids_in(asked: Iterable[str]) -> list[str]:
    """The jobs that an address names, by commas or by repeating itself; each once."""
    return list(dict.fromkeys(name for part in asked for name in part.split(",") if name))[:MOST]


def compared(api: Api, ids: Iterable[str]) -> dict[str, Any]:
    """The jobs that there are, the settings in which they differ, their figures, and the best of each."""
    found, missing = _jobs(api, ids)
    figures = list(
        dict.fromkeys(name for job in found for name in job["best"] or job["latest"] or {} if _is_told(name))
    )
    rows = [job["best"] or job["latest"] or {} for job in found]
    return {
        "jobs": found,
        "missing": missing,
        "differing": differing([job["spec"] for job in found]),
        "figures": figures,
        "rows": rows,
        "bests": {name: _best(rows, name) for name in figures},
    }


def _jobs(api: Api, ids: Iterable[str]) -> tuple[list[dict[str, Any]], list[str]]:
    found, missing = [], []
    for job_id in ids:
        try:
            check_id(job_id)
            found.append(json.loads(job_json(api.store.job(job_id))))
        except (NotFound, Gone):
            missing.append(job_id)
    return found, missing


def _is_told(name: str) -> bool:
    return name in _LOSSES or metric(name)


def _best(rows: Sequence[Mapping[str, Any]], name: str) -> float | None:
    """The best value of a figure among several; None where there is nothing to choose."""
    values = [row[name] for row in rows if isinstance(row.get(name), (int, float)) and math.isfinite(row[name])]
    if len(set(values)) < 2:
        return None
    return float(max(values) if _rises(name) else min(values))


def _rises(name: str) -> bool:
    """Whether more of this figure is better; one of a part that is not installed here is a loss."""
    known = name.removeprefix("val_")
    return known in metrics.names() and metrics.get(known).facts.get("mode") == "max"
