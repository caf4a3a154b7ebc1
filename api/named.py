"""Which jobs a stream of many names, and how far each was told: what its cursor says."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from api.waiting import check_id
from core.errors import BadRequest
from core.store import Pulse, Store

MOST_NAMED = 200
"""Jobs that one stream may name: their ids fill the longest address that proxies take (8 kB)."""
_GONE = "-"
_NUMBER = re.compile(r"[0-9]{1,18}")


def named(text: str) -> tuple[str, ...]:
    """The ids of `jobs=a,b`, each once; raises BadRequest for none or too many, NotFound for what is no id."""
    ids = parts(text)
    if not ids:
        raise BadRequest("`jobs` names no job: say jobs=job_…,job_… or leave it out for all jobs.", param="jobs")
    if len(ids) > MOST_NAMED:
        message = f"`jobs` names {len(ids)} jobs, but {MOST_NAMED} at most: ask for the rest in another request."
        raise BadRequest(message, param="jobs")
    for job_id in ids:
        check_id(job_id)
    return ids


def parts(text: str) -> tuple[str, ...]:
    """What stands between the commas of a parameter, each once."""
    return tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))


def standings(store: Store, ids: Sequence[str]) -> dict[str, Pulse | None]:
    """How each of the jobs stands, None where it was deleted; raises NotFound for one that never was."""
    pulses = store.pulse(ids)
    missing = [job_id for job_id in ids if job_id not in pulses]
    deleted = store.deleted_jobs(missing) if missing else set()
    for job_id in missing:
        if job_id not in deleted:
            store.job(job_id)  # which says that it never was
    return {job_id: pulses.get(job_id) for job_id in ids}


@dataclass(slots=True)
class Places:
    """How far each named job was told: the `seq` of its last event, and whether it was told that it is gone."""

    ids: tuple[str, ...]
    seqs: dict[str, int]
    gone: set[str] = field(default_factory=set)

    @classmethod
    def now(cls, ids: tuple[str, ...], pulses: Mapping[str, Pulse | None]) -> Places:
        """Where the jobs stand."""
        return cls(ids, {job_id: 0 if pulse is None else pulse.version for job_id, pulse in pulses.items()})

    @classmethod
    def of(cls, cursor: str, ids: tuple[str, ...], pulses: Mapping[str, Pulse | None]) -> Places | None:
        """What a cursor says; None where it is none, or one of other jobs."""
        name, *words = cursor.split(".")
        if name != _digest(ids) or len(words) != len(ids):
            return None
        told = dict(zip(ids, words, strict=True))
        if not all(word == _GONE or _NUMBER.fullmatch(word) for word in words):
            return None
        # a number from another life of the database would hide even the end
        seqs = {
            job_id: min(int(told[job_id]), pulse.version)
            for job_id, pulse in pulses.items()
            if pulse is not None and told[job_id] != _GONE
        }
        return cls(ids, {**dict.fromkeys(pulses, 0), **seqs}, {job_id for job_id in ids if told[job_id] == _GONE})

    def is_at_end(self, pulses: Mapping[str, Pulse | None]) -> bool:
        """Whether nothing more comes: each of the jobs has ended, or is gone, and was told so."""
        return all(
            job_id in self.gone if pulse is None else pulse.status.ended and self.seqs[job_id] >= pulse.version
            for job_id, pulse in pulses.items()
        )

    @property
    def cursor(self) -> str:
        """The opaque text that stands for these places."""
        words = (_GONE if job_id in self.gone else str(self.seqs[job_id]) for job_id in self.ids)
        return ".".join([_digest(self.ids), *words])


def _digest(ids: Sequence[str]) -> str:
    return hashlib.blake2b(",".join(ids).encode(), digest_size=4).hexdigest()
