"""The reference, drawn from the code: the fields of a spec, the parts, and the routes."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from core.catalog import catalog
from core.spec import JobSpec
from core.wire import dumps

Schema = Mapping[str, Any]

_NONE: Mapping[str, Any] = {}
_BOUNDS = (("minimum", "from"), ("exclusiveMinimum", "above"), ("maximum", "to"), ("exclusiveMaximum", "below"))


@dataclass(frozen=True, slots=True)
class Setting:
    """One field: what it may be, what it is when not given (None: it must be given), and what it says."""

    name: str
    kind: str
    default: str | None
    told: str


@dataclass(frozen=True, slots=True)
class Group:
    """Fields that belong together, under a heading."""

    name: str
    told: str
    settings: tuple[Setting, ...]


@functools.cache
def spec_groups() -> tuple[Group, ...]:
    """The fields of a spec, then those of each of its sections."""
    whole = JobSpec.model_json_schema()
    known: Schema = whole["$defs"]
    sections = [(name, section) for name, field in whole["properties"].items() if (section := _section(field, known))]
    groups = [Group("Fields", "", _settings(whole, known))]
    groups += [Group(name, section.get("description", ""), _settings(section, known)) for name, section in sections]
    return tuple(groups)


@functools.cache
def part_groups() -> dict[str, tuple[Group, ...]]:
    """The parts of each kind, with their settings."""
    return {kind: tuple(map(_part, parts)) for kind, parts in catalog().items()}


def routes(document: Schema) -> dict[str, list[tuple[str, str, str]]]:
    """The routes by their tag, each as its method, its path and its sentence, of an OpenAPI document."""
    found: dict[str, list[tuple[str, str, str]]] = {tag["name"]: [] for tag in document["tags"]}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            sentence = operation.get("description", "").partition("\n\n")[0].replace("\n", " ")
            for tag in operation["tags"]:
                found[tag].append((method.upper(), path, sentence))
    return found


def kind_of(schema: Schema, known: Schema) -> str:
    """What a value may be, in a few words; `part` is the name of one, or an object with its name and settings."""
    if "$ref" in schema:
        return "object" if _section(schema, known) else kind_of(_referred(schema, known), known)
    if "anyOf" in schema:
        kinds = ["part"] if any("discriminator" in one for one in schema["anyOf"]) else []
        kinds += [kind_of(one, known) for one in schema["anyOf"] if not kinds or one.get("type") == "null"]
        return " | ".join(dict.fromkeys(kinds))
    if "enum" in schema:
        return " | ".join(map(_word, schema["enum"]))
    if "const" in schema:
        return _word(schema["const"])
    if schema.get("type") == "array":
        return f"list of {kind_of(schema.get('items', _NONE), known)}"
    told = [f"{word} {schema[bound]:,}" for bound, word in _BOUNDS if bound in schema]
    return " ".join([schema.get("type", "any value"), *told])


def _word(value: Any) -> str:
    """A value as JSON has it, a string without its quotes."""
    return value if isinstance(value, str) else dumps(value)


def _part(told: Mapping[str, Any]) -> Group:
    schema: Schema = told["schema"]
    return Group(told["name"], told["summary"], _settings(schema, schema.get("$defs", _NONE)))


def _settings(schema: Schema, known: Schema) -> tuple[Setting, ...]:
    return tuple(_found(schema, known))


def _found(schema: Schema, known: Schema) -> Iterator[Setting]:
    required = schema.get("required", ())
    for name, field in schema.get("properties", _NONE).items():
        if name == "facts" or (name == "name" and "const" in field):  # the service's own, and a part's own name
            continue
        default = None if name in required else _default(field)
        told = field.get("description") or _referred(field, known).get("description", "")
        yield Setting(name, kind_of(field, known), default, told)


def _default(field: Schema) -> str:
    """Empty where it depends on the rest, which the description tells."""
    value = field.get("default", "")
    return "as below" if isinstance(value, Mapping) and value else _word(value)


def _section(field: Schema, known: Schema) -> Schema | None:
    """The object that a field is, or may be; None for a part, and for a value."""
    for one in (field, *field.get("anyOf", ())):
        if "$ref" in one and (found := _referred(one, known)).get("type") == "object":
            return found
    return None


def _referred(field: Schema, known: Schema) -> Schema:
    return known[field["$ref"].rpartition("/")[2]] if "$ref" in field else field
