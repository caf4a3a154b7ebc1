"""Uploads: one row for the same bytes, the names that they were given, and the jobs that rest on them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Row, delete, func, insert, select, text
from sqlalchemy.dialects import postgresql, sqlite

from core.dataset import Dataset, Profile
from core.errors import Gone, NotFound, SpecRefused, Unavailable
from core.intake import from_json, to_json
from core.job import ENDED, Problem
from core.store.backend import Tx
from core.store.cursors import cursor, id_of
from core.store.needing import NAMED_JOBS, still_needed
from core.store.tables import NEEDS_DATA, by, dataset_names, datasets, job_datasets, jobs, removed

NAMING = ("id", "validation", "test")
"""The settings of the dataset `upload` that name uploads."""
_TAKE = {
    "sqlite": sqlite.insert(datasets).on_conflict_do_nothing().returning(datasets.c.id),
    "postgresql": postgresql.insert(datasets).on_conflict_do_nothing().returning(datasets.c.id),
}
_CALL = {
    "sqlite": sqlite.insert(dataset_names).on_conflict_do_nothing().returning(dataset_names.c.version),
    "postgresql": postgresql.insert(dataset_names).on_conflict_do_nothing().returning(dataset_names.c.version),
}


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that was looked through: its SHA-256 in hex, its size, how the client called it, and what is in it."""

    sha256: str
    bytes: int
    filename: str
    profile: Profile


class Needed(NamedTuple):
    """The uploads that a job rests on: the one that it trains on, if it does, and the others."""

    first: str | None
    beside: list[str]


@dataclass(frozen=True, slots=True)
class DatasetQuery:
    """Which datasets to list: newest first; `name` is one that they were given, `after` is a page's `next`."""

    limit: int = 50
    after: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class DatasetPage:
    """Some datasets, and the cursor of the page behind them (None: these are the last)."""

    rows: tuple[Dataset, ...]
    next: str | None


def add(tx: Tx, dataset_id: str, upload: Upload, *, name: str | None) -> tuple[Dataset, bool]:
    """The dataset of these bytes and whether it is new; `name` then means it, under a new version if it did not."""
    profile = to_json(upload.profile)
    values = {"sha256": upload.sha256, "bytes": upload.bytes, "filename": upload.filename, "profile": profile}
    taking = _TAKE[tx.conn.dialect.name].values(**values, id=dataset_id, created_at=tx.clock.now())
    made = tx.conn.scalar(taking) is not None
    return _called(tx, upload.sha256, name), made


def known(tx: Tx, sha256: str, *, name: str | None) -> Dataset | None:
    """The dataset of these bytes if there is one; `name` then means it, as with `add`."""
    if tx.conn.scalar(select(datasets.c.id).where(datasets.c.sha256 == sha256)) is None:
        return None
    return _called(tx, sha256, name)


def page(tx: Tx, query: DatasetQuery) -> DatasetPage:
    """The datasets that `query` asks for, newest first; raises BadRequest for a bad cursor."""
    wanted = select(datasets).order_by(datasets.c.id.desc()).limit(query.limit + 1)
    if query.after is not None:
        wanted = wanted.where(datasets.c.id < id_of(query.after, kind="ds"))
    if query.name is not None:
        named = select(dataset_names.c.dataset_id).where(dataset_names.c.name == query.name)
        wanted = wanted.where(datasets.c.id.in_(named))
    found = tx.conn.execute(wanted).all()
    shown = datasets_of(tx, found[: query.limit])
    return DatasetPage(shown, cursor(shown[-1].id) if len(found) > query.limit else None)


def one(tx: Tx, dataset_id: str) -> Dataset:
    """The dataset; raises NotFound, and Gone when it was deleted."""
    found = tx.conn.execute(select(datasets).where(datasets.c.id == dataset_id)).one_or_none()
    if found is None:
        raise _missing(tx, dataset_id)
    return datasets_of(tx, [found])[0]


def datasets_of(tx: Tx, found: Sequence[Row[*tuple[Any, ...]]]) -> tuple[Dataset, ...]:
    """The datasets of these rows, with one query for the names of all of them."""
    names: defaultdict[str, list[tuple[str, int]]] = defaultdict(list)
    wanted = select(dataset_names).where(dataset_names.c.dataset_id.in_([row.id for row in found]))
    for row in tx.conn.execute(wanted.order_by(dataset_names.c.name, dataset_names.c.version)) if found else ():
        names[row.dataset_id].append((row.name, row.version))
    return tuple(_dataset_of(row, names[row.id]) for row in found)


def remove(tx: Tx, dataset_id: str) -> str | None:
    """Delete the dataset, a mark stays; its SHA-256, None if it was deleted before. Raises NotFound, WrongStatus.

    WrongStatus while a job that has not ended rests on it, and names such jobs.
    """
    wanted = select(datasets.c.sha256).where(datasets.c.id == dataset_id)
    sha256 = tx.conn.scalar(wanted.with_for_update())
    if sha256 is None:
        missing = _missing(tx, dataset_id)
        if isinstance(missing, Gone):
            return None
        raise missing
    if needing := _needing(tx, dataset_id):
        raise still_needed(f"Dataset {dataset_id} cannot be deleted; it is needed by", needing)
    tx.conn.execute(delete(datasets).where(datasets.c.id == dataset_id))
    tx.conn.execute(insert(removed).values(id=dataset_id, at=tx.clock.now()))
    return sha256


def needed(tx: Tx, spec: Any) -> Needed:
    """The uploads that a spec rests on, held until the job that needs them is committed.

    Raises SpecRefused for those that are gone.
    """
    named = _named(spec or {})
    if not named:
        return Needed(None, [])
    wanted = select(datasets.c.id).where(datasets.c.id.in_(named.values())).order_by(datasets.c.id)
    there = set(tx.conn.scalars(wanted.with_for_update(read=True)))
    if gone := [(place, one) for place, one in named.items() if one not in there]:
        told = "Upload its file and name that."
        raise SpecRefused([Problem(place, f"{_missing(tx, one).message} {told}") for place, one in gone])
    first = named.get("/dataset/id")
    return Needed(first, sorted(set(named.values()) - {first}))


def _named(spec: Mapping[str, Any]) -> dict[str, str]:
    """The uploads that a spec names, each by its place there."""
    choice, init = spec.get("dataset"), spec.get("init_from") or {}
    named = {"/init_from/upload": init.get("upload"), "/dataset": (spec.get("predict") or {}).get("dataset")}
    if isinstance(choice, dict) and choice.get("name") == "upload":
        named |= {f"/dataset/{part}": choice.get(part) for part in NAMING}
    return {place: str(one) for place, one in named.items() if one is not None}


def stored(tx: Tx, hashes: Collection[str]) -> set[str]:
    """Those of the SHA-256s that datasets have."""
    return set(tx.conn.scalars(select(datasets.c.sha256).where(datasets.c.sha256.in_(hashes))))


def _called(tx: Tx, sha256: str, name: str | None) -> Dataset:
    wanted = select(datasets).where(datasets.c.sha256 == sha256)
    row = tx.conn.execute(wanted.with_for_update(read=True)).one_or_none()
    if row is None:
        message = "The same data was deleted at this moment; upload it again."
        raise Unavailable(message)
    if name is not None:
        _call(tx, name, row.id)
    return datasets_of(tx, [row])[0]


def _call(tx: Tx, name: str, dataset_id: str) -> None:
    """Let the newest version of `name` be this dataset; of two that come at once, one takes the next number."""
    of_name = dataset_names.c.name == name
    newest = select(dataset_names.c.dataset_id).where(of_name).order_by(dataset_names.c.version.desc()).limit(1)
    while tx.conn.scalar(newest) != dataset_id:
        last = tx.conn.scalar(select(func.max(dataset_names.c.version)).where(of_name)) or 0
        tx.conn.scalar(_CALL[tx.conn.dialect.name].values(name=name, version=last + 1, dataset_id=dataset_id))


def _dataset_of(row: Row[*tuple[Any, ...]], names: Sequence[tuple[str, int]]) -> Dataset:
    profile = from_json(row.profile)
    return Dataset(row.id, row.sha256, row.bytes, row.filename, profile, row.created_at, tuple(names))


def _needing(tx: Tx, dataset_id: str) -> list[str]:
    """The first jobs that have not ended and rest on it, and one more than are named."""
    first = select(jobs.c.id).with_hint(jobs, by("ix_jobs_dataset_id"), "sqlite").where(text(NEEDS_DATA))
    beside = select(jobs.c.id).join(job_datasets, job_datasets.c.job_id == jobs.c.id)
    asked = (
        first.where(jobs.c.dataset_id == dataset_id),
        beside.where(job_datasets.c.dataset_id == dataset_id, jobs.c.status.not_in(ENDED)),
    )
    found = (tx.conn.scalars(one.order_by(jobs.c.id).limit(NAMED_JOBS + 1)) for one in asked)
    return sorted({job_id for ids in found for job_id in ids})[: NAMED_JOBS + 1]


def _missing(tx: Tx, dataset_id: str) -> NotFound | Gone:
    if tx.conn.scalar(select(removed.c.id).where(removed.c.id == dataset_id)) is not None:
        return Gone(f"Dataset {dataset_id} was deleted.")
    return NotFound(f"There is no dataset {dataset_id[:80]!r}.")
