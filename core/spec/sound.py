"""What is still sound in a spec with broken fields, so that the rest of it can be judged in the same answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NoReturn

from pydantic import BaseModel

from core.checks import Path
from core.registry import Registry, augmentations, metrics
from core.spec.defaults import DERIVED
from core.spec.fields import Checkpoints, EarlyStopping, Loader, Preprocess, Sharpness, Split
from core.spec.outline import Unsound

PLACEHOLDERS: Mapping[str, Any] = {"dataset": "iris", "model": "linear"}
"""What stands in for the required fields while the sound ones are validated."""

LISTS: Mapping[str, Registry] = {"metrics": metrics, "augment": augmentations}
"""The fields that are lists of parts."""

SECTIONS: Mapping[str, type[BaseModel]] = {
    "split": Split,
    "preprocess": Preprocess,
    "early_stopping": EarlyStopping,
    "sharpness": Sharpness,
    "checkpoints": Checkpoints,
    "loader": Loader,
}


class Remains:
    """A section or part of which some settings are broken: asked for one of these, it raises Unsound."""

    def __init__(self, sound: Mapping[str, Any]) -> None:
        self.__dict__.update(sound)

    def __getattr__(self, name: str) -> NoReturn:
        raise Unsound(name)


def sound_fields(
    given: Mapping[str, Any], broken: Iterable[Path], *, validate: Callable[[dict[str, Any]], BaseModel]
) -> dict[str, Any]:
    """The validated fields of `given` without what the paths in `broken` name; of a half-broken one what remains."""
    wrong: dict[str, set[str | int | None]] = {}
    for field, *inner in filter(None, broken):
        wrong.setdefault(str(field), set()).add(inner[0] if inner else None)
    kept = {name: value for name, value in given.items() if name not in wrong}
    untold = wrong.keys() | DERIVED | PLACEHOLDERS.keys()
    whole = {name: value for name, value in validate({**PLACEHOLDERS, **kept}) if name in kept or name not in untold}
    halves = {name: _remains(name, given[name], without=keys) for name, keys in wrong.items() if None not in keys}
    return whole | {name: half for name, half in halves.items() if half is not None}


def _remains(field: str, value: Any, *, without: set[str | int | None]) -> Any:
    if registry := LISTS.get(field):
        return tuple(None if place in without else registry.choose(one) for place, one in enumerate(value))
    if section := SECTIONS.get(field):
        sound = {key: inner for key, inner in value.items() if key not in without}
        return Remains({key: inner for key, inner in section.model_validate(sound) if key not in without})
    if isinstance(value, dict) and "name" in value and "name" not in without:
        return Remains({"name": value["name"]})
    return None
