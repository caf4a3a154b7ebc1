"""Weights to start from, in specs that are judged without a service."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import Tensor

from core.dataset import Dataset
from core.errors import NotFound
from core.files import artifact
from core.intake.inspection import inspect
from core.intake.limits import Limits
from core.job import Status
from core.loop.checkpoints import write_weights
from core.shelf import Folders
from core.spec import JobSpec, parse_spec
from core.starting import WEIGHTS, Left
from tests.core.uploading import NOW

JOB = "job_before"


class Beginnings:
    """The weights that the job JOB left, and uploads and files, all below `root`."""

    def __init__(self, root: Path) -> None:
        self.folders = Folders(root / "datasets", root / "files", root)
        self._root = root
        self._parameters: int | None = None
        self._datasets: dict[str, Dataset] = {}
        for folder in ("datasets", "files"):
            (root / folder).mkdir()

    @property
    def left(self) -> Path:
        """Where the job's weights lie."""
        return self._root / JOB / "1" / WEIGHTS

    def leave(self, weights: Path, *, parameters: int | None = None) -> None:
        """Let these be what the job left."""
        self.left.parent.mkdir(parents=True, exist_ok=True)
        self.left.write_bytes(weights.read_bytes())
        self._parameters = parameters

    def leave_tensors(self, tensors: Mapping[str, Tensor]) -> None:
        """Let these be what the job left."""
        path = self._root / "drawn.safetensors"
        write_weights(tensors, path)
        self.leave(path)

    def upload(self, path: Path) -> str:
        """Upload a file; gives its id."""
        found = replace(_seen(path), id=f"ds_{len(self._datasets)}")
        (self.folders.uploads / found.sha256).write_bytes(path.read_bytes())
        self._datasets[found.id] = found
        return found.id

    def spec(self, init: Mapping[str, Any] | None, **fields: Any) -> JobSpec:
        """The spec of a job that starts from `init`."""
        return parse_spec({**fields, "init_from": init}, self._datasets.get, self._look, self._of_job)

    def fields(self, init: Mapping[str, Any] | None, **fields: Any) -> dict[str, Any]:
        """The same as a store has it."""
        return self.spec(init, **fields).model_dump(mode="json")

    def _look(self, path: str) -> Dataset:
        return _seen(self._root / "files" / path)

    def _of_job(self, job_id: str) -> Left:
        if job_id != JOB:
            raise NotFound(f"There is no job {job_id!r}.")
        file = artifact(self.left, media_type="application/octet-stream")
        return Left(Status.SUCCEEDED, replace(file, path=f"{JOB}/1/{WEIGHTS}"), self._parameters)


def _seen(path: Path) -> Dataset:
    digest, profile = hashlib.sha256(path.read_bytes()).hexdigest(), inspect(path, path.name, Limits())
    return Dataset(path.name, digest, path.stat().st_size, path.name, profile, NOW)
