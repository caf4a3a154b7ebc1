"""Files as they lie when they were uploaded, for specs and runs that name them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from core.dataset import Column, Dataset, Profile
from core.intake import Limits
from core.intake.inspection import inspect
from core.spec import JobSpec, parse_spec

NOW = datetime(2026, 1, 1, tzinfo=UTC)
FLOWERS = (
    Column("species", "category", 0, 3),
    Column("petal", "number", 2, 90, 1.0, 9.0, 5.0),
    Column("color", "category", 3, 2),
    Column("name", "text", 0, 100),
    Column("seen", "date", 0, 60),
    Column("wild", "boolean", 0, 2),
    Column("country", "category", 0, 1),
)


def stored(profile: Profile, *, sha256: str = "a" * 64) -> Dataset:
    """A dataset of which only the profile counts."""
    return Dataset("ds_1", sha256, 10, "flowers.csv", profile, NOW)


def table(columns: Sequence[Column] = FLOWERS, *, rows: int = 100) -> Dataset:
    return stored(Profile("table", "csv", rows, tuple(columns)))


def found(dataset: Dataset) -> Any:
    """Finds this one dataset, by its id."""
    return lambda wanted: dataset if wanted == dataset.id else None


def looked_into(path: Path, name: str) -> Profile:
    """What is in a file, as the service finds it, but in this process."""
    return inspect(path, name, Limits())


@dataclass
class Shelf:
    """A folder of uploaded files, each looked into as the service does, but in this process."""

    folder: Path
    datasets: dict[str, Dataset] = field(default_factory=dict)

    def put(self, name: str, content: bytes) -> str:
        """Upload the file; gives its id."""
        sha256 = hashlib.sha256(content).hexdigest()
        path = self.folder / sha256
        path.write_bytes(content)
        dataset_id = f"ds_{sha256[:16]}"
        if dataset_id not in self.datasets:
            profile = inspect(path, name, Limits())
            self.datasets[dataset_id] = Dataset(dataset_id, sha256, len(content), name, profile, NOW)
        return dataset_id

    def spec(self, dataset_id: str, settings: Mapping[str, Any], **fields: Any) -> JobSpec:
        """The spec of a job that learns from the upload."""
        dataset = {"name": "upload", "id": dataset_id, **settings}
        return parse_spec({"dataset": dataset, "model": "linear", **fields}, self.datasets.get)
