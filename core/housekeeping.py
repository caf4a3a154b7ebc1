"""Removing files that no row names any more: behind a run, behind retention, and what a crash left."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from core import artifacts, datafiles, exports, keeping
from core.errors import Gone, NotFound
from core.ids import is_id
from core.job import HELD, Artifact, Job

log = logging.getLogger(__name__)
ORPHAN_S = 3600.0
"""A deleted job's folder is removed when nobody has written there for so long."""
LEFTOVER_S = 600.0
"""A checkpoint or an export that does not count and is not on its way goes after so long."""
_AT_A_TIME = 200


class FileStore(Protocol):
    """What the removal of files needs of the store."""

    def job(self, job_id: str) -> Job:
        """The job; raises NotFound or Gone."""

    def named_checkpoints(self, job_id: str) -> set[str]:
        """The checkpoints of the job that a row of any job names."""


class HouseStore(FileStore, datafiles.DatasetStore, Protocol):
    """What housekeeping needs of the store."""

    def tidy_up(self) -> list[str]:
        """Delete what the settings no longer keep; the ids of the jobs whose files are to be looked at."""

    def artifacts(self, job_id: str) -> list[Artifact]:
        """The files of the job."""

    def known_jobs(self, ids: Collection[str]) -> set[str]:
        """Those of `ids` that are jobs."""

    def deleted_jobs(self, ids: Collection[str]) -> set[str]:
        """Those of `ids` that were jobs."""


def tidy(store: FileStore, root: Path, job_id: str) -> None:
    """Keep of a job's files what its rows name, and what an attempt at work writes; raises Unavailable.

    A job that is gone keeps only the checkpoints that its forks go on from; the files of one that was never here are
    another database's.
    """
    try:
        job = store.job(job_id)
    except Gone:
        remove(store, root, job_id)
        return
    except NotFound:
        return
    artifacts.tidy(root, job)
    if (root / job_id / keeping.FOLDER).is_dir():
        # read behind the attempt's number: earlier ones can store nothing more
        named = store.named_checkpoints(job_id)
        over = job.attempt if job.status in HELD else job.attempt + 1
        keeping.drop_unnamed(root, job_id, named=named, attempt=over)
        artifacts.remove_empty(root, job_id)


def remove(store: FileStore, root: Path, job_id: str) -> None:
    """Remove the files of a job that is gone, but for checkpoints that other jobs' rows name; raises Unavailable."""
    if not (root / job_id).is_dir():
        return
    named = store.named_checkpoints(job_id)
    for found in sorted((root / job_id).glob("*")):
        if found.name != keeping.FOLDER:
            keeping.remove(found)
    keeping.drop_unnamed(root, job_id, named=named, attempt=sys.maxsize)
    artifacts.remove_empty(root, job_id)


class Housekeeper:
    """Looks through the artifacts folder, some jobs at each call, and deletes what retention no longer keeps.

    It touches nothing but folders whose names are job ids, and uploads that never became whole or lost their row.
    """

    def __init__(self, store: HouseStore, root: Path) -> None:
        self._store = store
        self._root = root
        self._seen = ""

    def clean(self) -> list[str]:
        """Remove what is not kept any more; the ids of the jobs concerned. Raises Unavailable."""
        retired = self._store.tidy_up()
        for job_id in retired:
            tidy(self._store, self._root, job_id)
        orphans = self._removed_orphans()
        uploads = datafiles.tidy(self._store, self._root)
        if retired or orphans or uploads:
            told = "Housekeeping: %d jobs by age or count, %d and %d uploads by crashes"
            log.info(told, len(retired), len(orphans), uploads)
        return [*retired, *orphans]

    def _removed_orphans(self) -> list[str]:
        """Of the next folders those of deleted jobs; of the others what does not count goes.

        A folder whose job this database never had stays: it may have been restored, or be the wrong one.
        """
        ids = self._next()
        if not ids:
            return []
        for job_id in self._store.known_jobs(ids):
            if self._has_leftovers(job_id):
                tidy(self._store, self._root, job_id)
            self._drop_exports(job_id)
        old = [job_id for job_id in sorted(self._store.deleted_jobs(ids)) if self._is_old(self._root / job_id)]
        orphans = [job_id for job_id in old if not self._is_only_named(job_id)]
        for job_id in orphans:
            remove(self._store, self._root, job_id)
        return orphans

    def _drop_exports(self, job_id: str) -> None:
        """Of a job's exports what a crash left before its row."""
        if any(_age_s(found) > LEFTOVER_S for found in exports.unnamed(self._root, job_id, named=())):
            named = self._store.artifacts
            exports.drop_unnamed(self._root, job_id, named=lambda: {file.path for file in named(job_id)})

    def _next(self) -> list[str]:
        """The folders of some jobs, behind those of the last call, in a circle."""
        found = sorted(entry.name for entry in self._root.iterdir() if is_id(entry.name, kind="job"))
        ids = [job_id for job_id in found if job_id > self._seen][:_AT_A_TIME]
        self._seen = ids[-1] if len(ids) == _AT_A_TIME else ""
        return ids

    def _has_leftovers(self, job_id: str) -> bool:
        """Whether checkpoints of it lie there for long that no row names: begun, or let go of by the last fork."""
        there = (self._root / job_id / keeping.FOLDER).glob("*/*")
        old = {found.relative_to(self._root).as_posix() for found in there if _age_s(found) > LEFTOVER_S}
        return bool(old) and not old <= self._store.named_checkpoints(job_id)

    def _is_old(self, folder: Path) -> bool:
        ages = [_age_s(found) for found in (folder, *folder.glob("*"), *folder.glob(f"{keeping.FOLDER}/*/*"))]
        return min(ages) > ORPHAN_S

    def _is_only_named(self, job_id: str) -> bool:
        """Whether there is nothing but checkpoints that the forks of a deleted job go on from."""
        named = self._store.named_checkpoints(job_id)
        files = (file for file in (self._root / job_id).rglob("*") if not file.is_dir())
        return bool(named) and all(file.parent.relative_to(self._root).as_posix() in named for file in files)


def _age_s(found: Path) -> float:
    with suppress(OSError):
        return time.time() - found.lstat().st_mtime
    return 0.0  # it has just gone
