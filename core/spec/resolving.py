"""An upload named in a spec, judged against what was found in its file and written down with the spec."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from core.checks import Finding, refuse, shown
from core.dataset import Dataset, Facts, Form, Profile
from core.registry import PartSettings, datasets
from core.spec import tables
from core.spec.classes import class_findings
from core.spec.splitting import part_counts

UPLOAD = "upload"
FORMS: Mapping[Form, str] = {"table": "a table", "arrays": "arrays", "images": "pictures"}
OF_TABLES: Mapping[str, Any] = {"target": None, "features": None, "exclude": (), "drop_missing_target": False}
"""The settings that only tables have, and what they are when not given."""

Find = Callable[[str], Dataset | None]
"""Gives the dataset of an id, None when there is none."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """What a spec is resolved with: where datasets are found, and the split that was asked for, as it came."""

    find: Find
    split: object = None

    @property
    def split_column(self) -> str | None:
        """The column that says which part a row is of: it is none of the features."""
        return self._named("column")

    @property
    def split_columns(self) -> tuple[str, ...]:
        """The columns that the split is made by, as far as it names any."""
        return tuple(name for name in (self._named("time"), self.split_column) if name is not None)

    def _named(self, way: str) -> str | None:
        name = self.split.get(way) if isinstance(self.split, Mapping) else None
        return name if isinstance(name, str) else None


def choose_dataset(value: Any, lookup: Lookup | None) -> PartSettings:
    """`value` as a dataset's settings, an upload's with its facts; raises ValidationError.

    With a `lookup` the facts are those of the dataset found now, whatever came with `value`; without one they must be
    there, as they are in every stored spec.
    """
    is_told = lookup is not None and isinstance(value, dict) and "facts" in value
    chosen = datasets.choose({**value, "facts": None} if is_told and value.get("name") == UPLOAD else value)
    if chosen.name != UPLOAD or isinstance(value, PartSettings):
        return chosen
    if lookup is not None:
        return _resolved(chosen, lookup)
    if chosen.settings()["facts"] is None:
        told = f"What {shown(chosen.settings()['id'])} holds is known only to the service that it was uploaded to."
        raise refuse(UPLOAD, [Finding(("id",), chosen.settings()["id"], told, {"facts": "filled in at submission"})])
    return chosen


def _resolved(chosen: PartSettings, lookup: Lookup) -> PartSettings:
    wanted = chosen.settings()
    dataset = lookup.find(wanted["id"])
    if dataset is None:
        told = f"There is no dataset {shown(wanted['id'])}. Upload its file first: POST /v1/datasets."
        raise refuse(UPLOAD, [Finding(("id",), wanted["id"], told, "the id of an upload")])
    if found := list(_findings(wanted, dataset.profile, lookup)):
        raise refuse(UPLOAD, found)
    return chosen.model_copy(update={"facts": _facts(wanted, dataset, lookup)})


def _findings(wanted: Mapping[str, Any], profile: Profile, lookup: Lookup) -> Iterator[Finding]:
    if profile.form == "table":
        yield from tables.findings(wanted, profile, reserved=lookup.split_column)
    else:
        yield from _alien_settings(wanted, profile)
        yield from _target_can_be_learned(wanted, profile)
    if wanted["size"] is not None and profile.form != "images":
        told = f"{shown(wanted['size'])} resizes pictures; this upload is {FORMS[profile.form]}."
        yield Finding(("size",), wanted["size"], told, [None])


def _alien_settings(wanted: Mapping[str, Any], profile: Profile) -> Iterator[Finding]:
    for setting, usual in OF_TABLES.items():
        if wanted[setting] != usual:
            told = f"{shown(setting)} is for tables; this upload is {FORMS[profile.form]}."
            yield Finding((setting,), wanted[setting], told, [usual])


def _target_can_be_learned(wanted: Mapping[str, Any], profile: Profile) -> Iterator[Finding]:
    if profile.form == "arrays" and profile.targets is None:
        told = "These arrays come without targets: upload an NPZ file with the arrays x and y."
        yield Finding(("id",), wanted["id"], told, "an upload with targets")
        return
    classes, task = _classes(profile), wanted["task"]
    if task in ("binary", "classes") and classes is None:
        told = f"{shown(task)} needs labels of classes; this target is numbers."
        yield Finding(("task",), task, told, ["auto", "numbers"])
    elif task == "numbers" and profile.form == "images":
        told = "The pictures' folders are classes, not numbers."
        yield Finding(("task",), task, told, ["auto", "classes"])
    elif task != "numbers" and classes is not None:
        yield from class_findings(classes, task=task, path=("id",), value=wanted["id"])


def _facts(wanted: Mapping[str, Any], dataset: Dataset, lookup: Lookup) -> Facts:
    profile = dataset.profile
    told: dict[str, Any] = {
        "sha256": dataset.sha256,
        "format": profile.format,
        "form": profile.form,
        "samples": profile.rows,
    }
    if profile.form == "table":
        told |= tables.facts(wanted, profile, reserved=lookup.split_column)
        told["split_counts"] = part_counts(lookup.split_column, profile)
        told["others"] = tables.others(told["columns"], profile, lookup.split_columns)
    else:
        classes = None if wanted["task"] == "numbers" else _classes(profile)
        outputs = profile.targets.outputs if profile.targets and classes is None else 1
        told |= {"features": _sample_shape(wanted, profile), "classes": classes, "outputs": outputs}
    return Facts.model_validate(told)


def _classes(profile: Profile) -> int | None:
    if profile.form == "images":
        return len(profile.classes or ())
    return profile.targets.classes if profile.targets else None


def _sample_shape(wanted: Mapping[str, Any], profile: Profile) -> tuple[int, ...]:
    shape = profile.shape or (1,)
    return (shape[0], *wanted["size"]) if wanted["size"] is not None else shape
