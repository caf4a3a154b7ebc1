"""A job's spec as people read it: what was chosen rather than a default, and what differs from another job's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.epochs import predicts
from core.errors import SpecRefused
from core.spec import parse_spec

TOLD = ("dataset", "model", "optimizer", "lr", "batch_size", "epochs")
"""What every reader asks for first, chosen or not."""
_UNREAD = frozenset({"facts", "labels"})
"""What the service itself wrote down of the data, and what is shown elsewhere."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting by its path; `before` is the other job's value where that one is another, None where it has none."""

    path: str
    value: Any
    differs: bool = False
    before: Any = None


def chosen(spec: Mapping[str, Any]) -> dict[str, Any]:
    """As short a spec as means the same: what equals its default is left out; that of a job that predicts is short."""
    given = without_facts(spec)
    if predicts(spec):
        return given
    try:
        short = _short(given)
        if parse_spec(short).model_dump(mode="json") == dict(spec):
            return {field: _shorthand(value) for field, value in short.items()}
    except SpecRefused:
        pass  # data that the least spec does not describe: all is told
    return given


def _short(spec: Mapping[str, Any]) -> dict[str, Any]:
    """What is not as by default; a part's settings are compared with those of the part of that name."""
    parts = {
        field: {"name": value["name"]} for field, value in spec.items() if isinstance(value, dict) and "name" in value
    }
    least = {field: parts[field] for field in ("dataset", "model")}
    usual = parse_spec(least).model_dump(mode="json")
    named = {field: part for field, part in parts.items() if part["name"] != (usual[field] or {}).get("name")}
    return {**least, **named, **_differing(spec, parse_spec({**least, **named}).model_dump(mode="json"))}


def without_facts(spec: Mapping[str, Any]) -> dict[str, Any]:
    """The spec as it may be posted: without what the service wrote into it."""
    return {
        field: {name: inner for name, inner in value.items() if name != "facts"} if isinstance(value, dict) else value
        for field, value in spec.items()
    }


def settings_of(spec: Mapping[str, Any], short: Mapping[str, Any], parent: Mapping[str, Any] | None) -> list[Setting]:
    """What was `chosen` of a spec, and what everyone asks for; with a `parent`, also all that differs from its spec."""
    told = {path: value for path, value in _flat(short) if path != "name"}
    for path, value in _flat({field: spec[field] for field in TOLD if field in spec}):
        if path in TOLD:
            told.setdefault(path, value)
    if parent is None:
        return [Setting(path, value) for path, value in told.items()]
    now, old = dict(_flat(spec)), dict(_flat(parent))
    other = [path for path in {**now, **old} if now.get(path) != old.get(path) and path != "name"]
    shown = {**{path: now.get(path) for path in other}, **told}
    return [Setting(path, value, path in other, old.get(path)) for path, value in shown.items()]


def differing(specs: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """The settings in which `specs` are not all the same, each with every spec's value (None where it has none)."""
    flat = [dict(_flat(spec)) for spec in specs]
    paths = dict.fromkeys(path for one in flat for path in one if path != "name")
    values = {path: [one.get(path) for one in flat] for path in paths}
    return {path: each for path, each in values.items() if any(one != each[0] for one in each)}


def _flat(value: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """Each setting by its path; a part's name stands at the part's own."""
    for name, inner in value.items():
        if name in _UNREAD:
            continue
        place = path if path and name == "name" else f"{path}.{name}" if path else name
        if isinstance(inner, Mapping):
            yield from _flat(inner, place)
        else:
            yield place, inner


def _differing(value: Mapping[str, Any], usual: Mapping[str, Any]) -> dict[str, Any]:
    """What of `value` is not as in `usual`; of a part its name too."""
    found: dict[str, Any] = {}
    for name, inner in value.items():
        other = usual.get(name)
        if isinstance(inner, Mapping) and isinstance(other, Mapping) and inner.get("name") == other.get("name"):
            if less := _differing(inner, other):
                found[name] = {**({"name": inner["name"]} if "name" in inner else {}), **less}
        elif inner != other:
            found[name] = inner
    return found


def _shorthand(value: Any) -> Any:
    """A part without settings is its name."""
    return value["name"] if isinstance(value, Mapping) and value.keys() == {"name"} else value
