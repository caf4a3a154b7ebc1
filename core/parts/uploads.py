"""The dataset that a user brings: a file that was uploaded, and what of it the job learns from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from core.checks import Finding
from core.data import DataShape
from core.dataset import Facts
from core.registry import datasets

DatasetId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$", examples=["ds_0199f0c2a1b27c3d8e4f5a6b7c8d9e0f"])]
ColumnName = Annotated[str, Field(min_length=1, max_length=1_000)]
ColumnNames = Annotated[tuple[ColumnName, ...], Field(strict=False, max_length=500)]
Side = Annotated[int, Field(ge=1, le=1_024)]


@dataclass(frozen=True, slots=True)
class Upload:
    """What a run reads: the file, and how."""

    id: str
    path: Path
    facts: Facts
    target: str | None


def _shape(*, facts: Facts, **_: Any) -> DataShape:
    return DataShape(facts.samples, facts.features, facts.classes, facts.outputs)


def _features_are_told_once(
    *, target: str | None, features: tuple[str, ...] | None, exclude: tuple[str, ...], **_: Any
) -> Iterator[Finding]:
    if features is not None and exclude:
        told = "Name the features, or what to exclude from them, not both."
        yield Finding(("exclude",), exclude, told, [])
    if features is not None and target in features:
        told = "The target cannot be a feature too: the model would only copy it."
        yield Finding(("features",), features, told, {"not": target})


@datasets.register(shape=_shape, check=_features_are_told_once, scales_target=True, uploaded=True)
def upload(
    files: Path,
    *,
    id: DatasetId,  # noqa: A002  (the setting's name)
    target: ColumnName | None = None,
    features: ColumnNames | None = None,
    exclude: ColumnNames = (),
    task: Literal["auto", "numbers", "binary", "classes"] = "auto",
    drop_missing_target: bool = False,
    size: Annotated[tuple[Side, Side], Field(strict=False)] | None = None,
    facts: Facts | None = None,
) -> Upload:
    """A file that was uploaded: a table with the column `target` to predict, arrays x and y, or pictures in a zip.

    Without `features` these are all columns but the target, text, constant ones and those in `exclude`. Rows without a
    target are refused unless `drop_missing_target`. Pictures are resized to `size` (height, width), or to the size that
    most of them have. `facts` is filled in when the job is submitted; what a client gives there is not read.
    """
    if facts is None:
        raise ValueError("An upload can be read only by what was found in it at submission.")
    return Upload(id, files / facts.sha256, facts, target)
