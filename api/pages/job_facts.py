"""What the page of one job shows, as the API tells it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from api.context import Api
from api.files import read_below
from api.pages.copies import copies
from api.pages.settings import Setting, chosen, settings_of
from api.queueing import whole_job
from api.render import artifact_json, checkpoint_json, epoch_json, event_json
from core.drawing import PACKAGE, figures_of
from core.epochs import first_epoch
from core.errors import Gone, NotFound
from core.extras import is_here
from core.files import REPORT
from core.job import EventType, Job

SHOWN_EPOCHS = 100
SHOWN_EVENTS = 200
TOLD = frozenset(EventType) - {EventType.EPOCH, EventType.PROGRESS}
"""What the log shows: epochs have a table of their own."""
_VERBS: Mapping[str, frozenset[str]] = {
    "pause": frozenset({"queued", "running"}),
    "resume": frozenset({"paused", "pausing"}),
    "cancel": frozenset({"queued", "running", "pausing", "paused"}),
    "retry": frozenset({"failed", "cancelled"}),
}


def job_facts(api: Api, job: Job, *, url: str) -> dict[str, Any]:
    """Everything the template takes. `job` was read first: what comes behind its version comes by its events."""
    told = json.loads(whole_job(api, job))
    rows = _epochs(api, job)
    short = chosen(job.spec)
    keyed = api.settings.api_key is not None
    return {
        "job": told,
        "at": job.version,
        "first": first_epoch(job.parent),
        "rows": rows,
        "columns": _columns(rows),
        "steps": _steps(api, job),
        "verbs": [verb for verb, statuses in _VERBS.items() if job.status in statuses],
        "settings": _settings(api, job, short),
        "copies": copies(short, url=url, keyed=keyed),
        "entries": _entries(api, job),
        "checkpoints": [json.loads(checkpoint_json(one)) for one in api.store.checkpoints(job.id)],
        "keyed": keyed,
        **_files(api, job),
    }


def _steps(api: Api, job: Job) -> int:
    """The steps of an epoch, as its first run told; 1 before it."""
    told = api.store.events(job.id, limit=1, types={EventType.STARTED})
    return max(1, int(json.loads(told[0].data)["steps_per_epoch"])) if told else 1


def _epochs(api: Api, job: Job) -> list[dict[str, Any]]:
    """The last of them, the newest first."""
    newest = int((job.latest or {}).get("epoch", 0))
    found = api.store.epochs(job.id, after=max(0, newest - SHOWN_EPOCHS))
    return [json.loads(epoch_json(row)) for row in reversed(found[-SHOWN_EPOCHS:])]


def _columns(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row if name not in {"nonfinite", "data_wait_s"}))


def _settings(api: Api, job: Job, short: Mapping[str, Any]) -> list[Setting]:
    parent = None
    if job.parent is not None:
        with suppress(NotFound, Gone):  # deleted since: nothing to compare with
            parent = api.store.job(str(job.parent["id"])).spec
    return settings_of(job.spec, short, parent)


def _entries(api: Api, job: Job) -> list[dict[str, Any]]:
    """The end of the job's log, the newest last; further back than some thousand entries nothing is looked for."""
    for back in (SHOWN_EVENTS, 10 * SHOWN_EVENTS):
        after = max(0, job.version - back)
        found = api.store.events(job.id, after=after, limit=back, types=TOLD)
        if after == 0 or len(found) >= SHOWN_EVENTS:
            break
    return [json.loads(event_json(event)) for event in found[-SHOWN_EVENTS:]]


def _files(api: Api, job: Job) -> dict[str, Any]:
    found = api.store.artifacts(job.id)
    report: dict[str, Any] | None = None
    for file in found:
        if file.name == REPORT:
            report = json.loads(read_below(api.settings.artifacts, file.path))
    return {
        "artifacts": [json.loads(artifact_json(job.id, file)) for file in found],
        "report": report,
        "pictures": figures_of(report) if report and is_here(PACKAGE) else (),
    }
