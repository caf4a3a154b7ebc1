"""What the page of a comparison shows: jobs beside each other, by what differs and by how well they do."""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from api.context import Api
from api.pages.settings import differing
from api.pages.words import metric
from api.render import job_json
from core.catalog import SECTIONS
from core.ids import is_id
from core.registry import rises

MOST_COMPARED = 1000
"""More than eyes can tell apart, and as many as a browser draws in a few seconds."""
_LOSSES = ("train_loss", "val_loss")
_KINDS = {
    "dataset": "datasets",
    "model": "models",
    "loss": "losses",
    "optimizer": "optimizers",
    "scheduler": "schedulers",
}


def compared(api: Api, ids: Sequence[str]) -> dict[str, Any]:
    """The jobs that there are, the settings in which they differ, their figures, and the best of each."""
    found, missing = _jobs(api, ids[:MOST_COMPARED])
    figures = list(
        dict.fromkeys(name for job in found for name in job["best"] or job["latest"] or {} if _is_told(name))
    )
    rows = [job["best"] or job["latest"] or {} for job in found]
    settings = telling(differing([job["spec"] for job in found]))
    return {
        "jobs": found,
        "missing": missing,
        "left_out": len(ids[MOST_COMPARED:]),
        "differing": settings,
        "settings": [json.dumps({path: each[at] for path, each in settings.items()}) for at in range(len(found))],
        "figures": figures,
        "rising": [name for name in figures if rises(name)],
        "rows": rows,
        "rounds": any(job["spec"].get("seeds") or job["spec"].get("split", {}).get("folds") for job in found),
        "bests": {name: _best(rows, name) for name in figures},
    }


def telling(found: Mapping[str, list[Any]]) -> dict[str, list[Any]]:
    """Of settings that differ, those that say something: without what each part's name says, by its defaults."""
    return {path: each for path, each in found.items() if not _goes_with_the_name(path, each, found)}


def _goes_with_the_name(path: str, each: Sequence[Any], found: Mapping[str, list[Any]]) -> bool:
    field, _, setting = path.partition(".")
    if not setting or field not in _KINDS or field not in found:
        return False
    usual = [_defaults(field, str(name)).get(setting) for name in found[field]]
    return all(value is None or value == default for value, default in zip(each, usual, strict=True))


@functools.cache
def _defaults(field: str, name: str) -> Mapping[str, Any]:
    """The settings of a part that have a default; none of a part that is not installed here."""
    known = SECTIONS[_KINDS[field]]
    if name not in known.names():
        return {}
    properties = known.get(name).settings.model_json_schema().get("properties", {})
    return {key: told["default"] for key, told in properties.items() if "default" in told}


def _jobs(api: Api, ids: Sequence[str]) -> tuple[list[dict[str, Any]], list[str]]:
    there = api.store.jobs_by_id([job_id for job_id in ids if is_id(job_id, kind="job")])
    found = [json.loads(job_json(there[job_id])) for job_id in ids if job_id in there]
    return found, [job_id for job_id in ids if job_id not in there]


def _is_told(name: str) -> bool:
    return name in _LOSSES or metric(name)


def _best(rows: Sequence[Mapping[str, Any]], name: str) -> float | None:
    """The best value of a figure among several; None where there is nothing to choose."""
    values = [row[name] for row in rows if isinstance(row.get(name), (int, float)) and math.isfinite(row[name])]
    if len(set(values)) < 2:
        return None
    return float(max(values) if rises(name) else min(values))
