"""What a spec is looked up by: the uploads, the files, and the columns of its split, as they were asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from core.checks import shown
from core.dataset import Dataset, Profile
from core.errors import DataRefused
from core.parts.uploads import LONGEST_PATH
from core.registry import datasets
from core.spec.apart import MOST_TOLD, PARTS
from core.spec.reconstruction import reconstructs
from core.starting import Left

Find = Callable[[str], Dataset | None]
"""Gives the dataset of an id, None when there is none."""
Look = Callable[[str], Dataset]
"""Gives what is in the file at a path; raises DataRefused."""
FindLeft = Callable[[str], Left]
"""Gives what the job of an id left; raises NotFound, Gone."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """What a spec is resolved with: where data and jobs are found, and the sections asked for, as they came."""

    find: Find
    look: Look | None = None
    dataset: object = None
    split: object = None
    preprocess: object = None
    model: object = None
    left: FindLeft | None = None

    def found(self, named_by: str, key: str) -> Dataset | str:
        """What is known of the data of this id or path, or why nothing is."""
        if named_by == "id":
            told = f"There is no dataset {shown(key)}. Upload its file first: POST /v1/datasets."
            return self.find(key) or told
        if self.look is None:
            return "This service reads no files of its own: upload the file, or set TRAINWIRE_FILES to a folder."
        try:
            return self.look(key)
        except DataRefused as refused:
            more = f" And {refused.count - MOST_TOLD} more problems." if refused.count > MOST_TOLD else ""
            return " ".join(one.message for one in refused.problems[:MOST_TOLD]) + more

    @property
    def profile(self) -> Profile | None:
        """What was found in the dataset that was asked for, whatever is wrong with the rest of its settings."""
        asked = self.dataset if isinstance(self.dataset, Mapping) else {}
        setting = named_by(asked.get("name"))
        key = key_of(asked, setting) if setting else None
        found = self.found(setting, key) if setting and key is not None else None
        return found.profile if isinstance(found, Dataset) else None

    @property
    def targets(self) -> tuple[str, ...]:
        """The columns to predict that were asked for."""
        target = self.dataset.get("target") if isinstance(self.dataset, Mapping) else None
        names = target if isinstance(target, list | tuple) else [target]
        return tuple(name for name in names if isinstance(name, str))

    @property
    def tokenizes(self) -> bool:
        """Whether a tokenizer was asked for."""
        return isinstance(self.preprocess, Mapping) and self.preprocess.get("text") is not None

    @property
    def reconstructs(self) -> bool:
        """Whether the model that was asked for has its own input as the target."""
        return reconstructs(self.model)

    @property
    def split_column(self) -> str | None:
        """The column that says which part a row is of: it is none of the features."""
        return self._named("column")

    @property
    def split_group(self) -> str | None:
        """The column whose values keep rows together: it is none of the features either."""
        return self._named("group")

    @property
    def reserved(self) -> str | None:
        """The column of the split that is none of the features."""
        return self.split_column if self.split_column is not None else self.split_group

    @property
    def split_columns(self) -> tuple[str, ...]:
        """The columns that the split is made by, as far as it names any."""
        named = (self._named("time"), self.split_column, self.split_group)
        return tuple(name for name in named if name is not None)

    def _named(self, way: str) -> str | None:
        name = self.split.get(way) if isinstance(self.split, Mapping) else None
        return name if isinstance(name, str) else None


def names_a_file(spec: Any) -> bool:
    """Whether a spec, as it came, names a file or the weights of a job, which have to be looked up."""
    if isinstance(spec, Mapping) and spec.get("init_from") is not None:
        return True
    dataset = spec.get("dataset") if isinstance(spec, Mapping) else None
    return named_by(dataset.get("name") if isinstance(dataset, Mapping) else dataset) is not None


def files_of(spec: Any) -> tuple[str, ...]:
    """The paths of files that a spec names, as it came."""
    dataset, init = (spec.get(field) if isinstance(spec, Mapping) else None for field in ("dataset", "init_from"))
    named = [init.get("file")] if isinstance(init, Mapping) else []
    if isinstance(dataset, Mapping) and named_by(dataset.get("name")) == "path":
        named += [dataset.get(setting) for setting in ("path", *PARTS)]
    return tuple(path for path in named if isinstance(path, str) and 0 < len(path) <= LONGEST_PATH)


def key_of(dataset: Mapping[str, Any], setting: str) -> str | None:
    """What the file is looked up by that this setting of a dataset names; None where it names none."""
    value = dataset.get(setting)
    if not isinstance(value, str):
        return None
    key = datasets.get(str(dataset.get("name"))).facts.get("key")
    return value if key is None else key(setting, dataset)


def named_by(name: object) -> str | None:
    """The setting that names the file of this dataset; None for one without a file."""
    known = isinstance(name, str) and name in datasets.names()
    found: str | None = datasets.get(str(name)).facts.get("named_by") if known else None
    return found
