"""An upload named in a spec, judged against what was found in its file and written down with the spec."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from core.checks import Finding, refuse, shown
from core.dataset import Dataset, Facts, Form, Profile
from core.errors import DataRefused
from core.parts.uploads import LONGEST_PATH
from core.registry import PartSettings, datasets
from core.spec import apart, series, tables
from core.spec.apart import MOST_TOLD, PARTS
from core.spec.classes import class_findings
from core.spec.splitting import groups_of, part_counts

FORMS: Mapping[Form, str] = {"table": "a table", "arrays": "arrays", "images": "pictures", "text": "a text"}
OF_TABLES: Mapping[str, Any] = {
    "target": None,
    "target_separator": None,
    "features": None,
    "exclude": (),
    "drop_missing_target": False,
    "series": None,
}
"""The settings that only tables have, and what they are when not given."""
OF_PICTURES: Mapping[str, Any] = {"size": None, "resize": "stretch"}

Find = Callable[[str], Dataset | None]
"""Gives the dataset of an id, None when there is none."""
Look = Callable[[str], Dataset]
"""Gives what is in the file at a path; raises DataRefused."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """What a spec is resolved with: where datasets are found, and the dataset and split asked for, as they came."""

    find: Find
    look: Look | None = None
    dataset: object = None
    split: object = None

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
        named_by = _named_by(asked.get("name"))
        key = asked.get(named_by) if named_by else None
        found = self.found(named_by, key) if named_by and isinstance(key, str) else None
        return found.profile if isinstance(found, Dataset) else None

    @property
    def targets(self) -> tuple[str, ...]:
        """The columns to predict that were asked for."""
        target = self.dataset.get("target") if isinstance(self.dataset, Mapping) else None
        names = target if isinstance(target, list | tuple) else [target]
        return tuple(name for name in names if isinstance(name, str))

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
    """Whether a spec, as it came, names a file, which has to be looked up."""
    dataset = spec.get("dataset") if isinstance(spec, Mapping) else None
    return _named_by(dataset.get("name") if isinstance(dataset, Mapping) else dataset) is not None


def files_of(spec: Any) -> tuple[str, ...]:
    """The paths of files that a spec names, as it came."""
    dataset = spec.get("dataset") if isinstance(spec, Mapping) else None
    if not isinstance(dataset, Mapping) or _named_by(dataset.get("name")) != "path":
        return ()
    named = (dataset.get(setting) for setting in ("path", *PARTS))
    return tuple(path for path in named if isinstance(path, str) and 0 < len(path) <= LONGEST_PATH)


def choose_dataset(value: Any, lookup: Lookup | None) -> PartSettings:
    """`value` as a dataset's settings, an upload's with its facts; raises ValidationError.

    With a `lookup` the facts are those of the dataset found now, whatever came with `value`; without one they must be
    there, as they are in every stored spec.
    """
    name = value.get("name") if isinstance(value, dict) else None
    is_told = lookup is not None and isinstance(value, dict) and "facts" in value and _named_by(name) is not None
    chosen = datasets.choose({**value, "facts": None} if is_told else value)
    named_by = _named_by(chosen.name)
    if named_by is None or isinstance(value, PartSettings):
        return chosen
    if lookup is not None:
        return _resolved(chosen, named_by, lookup)
    if chosen.settings()["facts"] is None:
        key = chosen.settings()[named_by]
        told = f"What {shown(key)} holds is known only to the service that it was given to."
        raise refuse(chosen.name, [Finding((named_by,), key, told, {"facts": "filled in at submission"})])
    return chosen


def _named_by(name: object) -> str | None:
    """The setting that names the file of this dataset; None for one without a file."""
    known = isinstance(name, str) and name in datasets.names()
    named_by: str | None = datasets.get(str(name)).facts.get("named_by") if known else None
    return named_by


def _resolved(chosen: PartSettings, named_by: str, lookup: Lookup) -> PartSettings:
    wanted = chosen.settings()
    settings = [named_by, *(part for part in PARTS if wanted[part] is not None)]
    found = {setting: lookup.found(named_by, wanted[setting]) for setting in settings}
    there = {setting: one for setting, one in found.items() if isinstance(one, Dataset)}
    wrong = [
        Finding((setting,), wanted[setting], one, f"the {named_by} of a file that is there")
        for setting, one in found.items()
        if isinstance(one, str)
    ]
    if (whole := there.pop(named_by, None)) is None:
        raise refuse(chosen.name, wrong)
    own = _findings({**wanted, "id": wanted[named_by]}, whole.profile, lookup)
    wrong += [replace(one, path=(named_by,)) if one.path == ("id",) else one for one in own]
    if wrong:
        raise refuse(chosen.name, wrong)
    facts = _facts(wanted, whole, lookup)
    parts = {part: there[part] for part in PARTS if part in there}
    wrong += [one for part, other in parts.items() for one in apart.findings(part, wanted, whole, other, facts)]
    if wrong:
        raise refuse(chosen.name, wrong)
    beside = {part: apart.fact(wanted, other) for part, other in parts.items()}
    return chosen.model_copy(update={"facts": facts.model_copy(update={"apart": beside})})


def _findings(wanted: Mapping[str, Any], profile: Profile, lookup: Lookup) -> Iterator[Finding]:
    if profile.form == "table":
        if wanted["series"] is not None:
            yield from series.findings(wanted, profile)
            wanted = series.as_numbers(wanted)
        yield from tables.findings(wanted, profile, reserved=lookup.reserved)
    else:
        yield from _alien_settings(wanted, profile)
        yield from _target_can_be_learned(wanted, profile)
    for setting, usual in OF_PICTURES.items():
        if wanted[setting] != usual and profile.form != "images":
            told = f"{shown(wanted[setting])} resizes pictures; this upload is {FORMS[profile.form]}."
            yield Finding((setting,), wanted[setting], told, [usual])


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
    if profile.form == "text":
        if task != "auto":
            told = f"Of a text the next token is predicted, not {shown(task)}."
            yield Finding(("task",), task, told, ["auto"])
    elif task == "labels":
        told = f"Labels are columns of a table; this upload is {FORMS[profile.form]}."
        yield Finding(("task",), task, told, ["auto", "classes"])
    elif task in ("binary", "classes") and classes is None:
        told = f"{shown(task)} needs labels of classes; this target is numbers."
        yield Finding(("task",), task, told, ["auto", "numbers"])
    elif task == "numbers" and profile.form == "images":
        told = "The pictures' folders are classes, not numbers."
        yield Finding(("task",), task, told, ["auto", "classes"])
    elif task != "numbers" and classes is not None:
        yield from class_findings(classes, task=task, path=("id",), value=wanted["id"])


def _facts(wanted: Mapping[str, Any], dataset: Dataset, lookup: Lookup) -> Facts:
    profile = dataset.profile
    wanted = wanted if wanted["series"] is None else series.as_numbers(wanted)
    told: dict[str, Any] = {
        "sha256": dataset.sha256,
        "format": profile.format,
        "form": profile.form,
        "samples": profile.rows,
    }
    if profile.form == "text":
        told |= {"samples": dataset.bytes, "features": ()}
    elif profile.form == "table":
        told |= tables.facts(wanted, profile, reserved=lookup.reserved)
        told |= series.facts(wanted, profile, told) if wanted["series"] is not None else {}
        told["split_counts"] = part_counts(lookup.split_column, profile)
        told["groups"] = groups_of(lookup.split_group, profile)
        told["others"] = tables.others(told["columns"], profile, (*lookup.split_columns, *tables.of_series(wanted)))
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
