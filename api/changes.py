"""What changed of a job, made into text once for all who watch it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import NamedTuple

from api.render import job_json
from core.job import Job, Progress
from core.store import Pulse, Store
from core.views import ChangeType
from core.wire import dumps, finite


@dataclass(frozen=True, slots=True)
class Change:
    """One message about a job; `final`: it has ended, or is no more."""

    job_id: str
    type: ChangeType
    json: str
    final: bool = False

    @classmethod
    def of(cls, job: Job) -> Change:
        """The job as it stands now."""
        text = f'{{"type":"job","job":"{job.id}","data":{job_json(job)}}}'
        return cls(job.id, ChangeType.JOB, text, job.status.ended)

    @classmethod
    def moved(cls, job_id: str, progress: Progress) -> Change:
        """The job's run went on within its epoch."""
        data = finite(asdict(progress))
        return cls(job_id, ChangeType.PROGRESS, dumps({"type": "progress", "job": job_id, "data": data}))

    @classmethod
    def deleted(cls, job_id: str) -> Change:
        """The job is no more."""
        return cls(job_id, ChangeType.DELETED, f'{{"type":"deleted","job":"{job_id}","data":{{}}}}', final=True)


class Found(NamedTuple):
    """What a look found: what is to be told, and how each of the jobs stands that there are."""

    changes: list[Change]
    pulses: Mapping[str, Pulse]


def look_at(store: Store, ids: Sequence[str], *, known: Mapping[str, Pulse]) -> Found:
    """What changed of these jobs since they stood as `known`: the job, of one whose log did not grow its progress."""
    pulses = store.pulse(ids)
    grown = [job_id for job_id in ids if job_id in pulses and not _is_at(known.get(job_id), pulses[job_id])]
    jobs = store.jobs_by_id(grown)
    told: dict[str, Change | None] = {job_id: Change.of(job) for job_id, job in jobs.items()}
    told |= {job_id: _moved(job_id, known[job_id], pulses[job_id]) for job_id in pulses if job_id not in grown}
    missing = [job_id for job_id in ids if job_id not in told]
    # one that never was here rang for another service on the same Redis, whose channels know no databases
    told |= {job_id: Change.deleted(job_id) for job_id in (store.deleted_jobs(missing) if missing else ())}
    return Found([change for job_id in ids if (change := told.get(job_id)) is not None], pulses)


def _moved(job_id: str, known: Pulse, pulse: Pulse) -> Change | None:
    if pulse.progress is None or pulse.progress == known.progress:
        return None
    return Change.moved(job_id, pulse.progress)


def _is_at(known: Pulse | None, pulse: Pulse) -> bool:
    return known is not None and known.version == pulse.version
