"""Exporting a job's model: the file first, its row second, once for all who ask."""

from __future__ import annotations

import shutil
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from core import artifacts, exports, files
from core.errors import Gone, NotFound, WrongStatus
from core.exporting import curves
from core.exporting.apart import Limits, Task, make
from core.exporting.formats import FORMS, Format, check_packages
from core.job import Artifact, Status
from core.shelf import Folders
from core.starting import Left


class ExportStore(curves.CurveStore, Protocol):
    """What exporting needs of the store."""

    def find_left(self, job_id: str) -> Left:
        """How the job stands and the weights that it left; raises NotFound, Gone."""

    def artifact(self, job_id: str, name: str) -> Artifact:
        """One file that the job made; raises NotFound, Gone."""

    def add_artifact(self, job_id: str, file: Artifact) -> Artifact:
        """Enter a file that was made of an ended job; raises NotFound, Gone, WrongStatus."""


def ready(store: ExportStore, job_id: str, wanted: Format) -> Artifact | None:
    """The job's model in the format `wanted` if it was made before; raises NotFound, Gone and WrongStatus."""
    weights = _source(store, job_id, wanted)
    if wanted == "safetensors":
        return weights
    with suppress(NotFound):
        return store.artifact(job_id, FORMS[wanted].name)
    return None


def export(
    store: ExportStore, folders: Folders, job_id: str, wanted: Format, *, limits: Limits
) -> tuple[Artifact, bool]:
    """The job's model in the format `wanted`, and whether it was made just now; it lies in `folders.jobs`.

    Raises NotFound, Gone and WrongStatus, ExportRefused for a model or a service that cannot, Unavailable when it takes
    too long, and StorageFull.
    """
    root, weights = folders.jobs or Path(), _source(store, job_id, wanted)
    check_packages(wanted)
    with exports.held(root, job_id) as folder:
        if (made := ready(store, job_id, wanted)) is not None:  # by whoever held it before
            return made, False
        model = root if weights is None else (root / weights.path).parent
        task = Task(wanted, model, folders, curves=curves.of(store, job_id) if weights is None else None)
        return _made(store, job_id, task, folder, limits=limits), True


def _source(store: ExportStore, job_id: str, wanted: Format) -> Artifact | None:
    """The weights to make a file of; None for one of curves, which every ended job may have."""
    left = store.find_left(job_id)
    if wanted == "tensorboard":
        if not left.status.ended:
            raise WrongStatus(f"Job {job_id} {left.status.stands}; its curves are exported once it has ended.")
        return None
    if left.status is not Status.SUCCEEDED:
        raise WrongStatus(f"Job {job_id} {left.status.stands}; a model is exported once its job has succeeded.")
    if left.file is None:
        raise WrongStatus(f"Job {job_id} left no weights, so there is nothing to export.")
    return left.file


def _made(store: ExportStore, job_id: str, task: Task, folder: Path, *, limits: Limits) -> Artifact:
    """The file, entered; an error leaves none."""
    form = FORMS[task.wanted]
    path = folder / form.name
    try:
        with files.written(path) as draft:
            make(task, draft, limits=limits)
        made = files.artifact(path, media_type=form.media_type)
        return store.add_artifact(job_id, replace(made, path=exports.place(job_id, form.name)))
    except (Gone, NotFound):  # deleted meanwhile, and its folder came back with the file
        shutil.rmtree(folder, ignore_errors=True)
        artifacts.remove_empty(folder.parent.parent, job_id)
        raise
    except BaseException:
        path.unlink(missing_ok=True)
        raise
