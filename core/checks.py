"""What is wrong with a request, told so that it can be put right: where, which value, what is allowed."""

from __future__ import annotations

import difflib
import functools
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

from core.job import Problem

MAX_PROBLEMS = 100
"""A body of a megabyte can hold 100,000 unknown keys; nobody reads that many."""
MAX_SHOWN = 80

Path = tuple[str | int, ...]

SAID = {
    "dict_type": "give an object",
    "model_type": "give an object",
    "model_attributes_type": "give an object",
    "tuple_type": "give a list",
    "too_short": "give at least {min_length}",
    "too_long": "give at most {max_length}",
    "string_type": "give a string",
}
"""Pydantic's sentences where they speak of Python; the rest are kept."""

_OURS = "refused"
_UNTOLD = frozenset({"title", "description", "default", "examples"})


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong at `path`: the value there, a sentence about it, and what is allowed instead."""

    path: Path
    value: Any
    message: str
    allowed: Any = None

    def under(self, *path: str | int) -> Finding:
        """The same, seen from further out."""
        return replace(self, path=(*path, *self.path))


def problems(error: ValidationError | Sequence[ErrorDetails]) -> list[Problem]:
    """Pydantic's errors as `Problem`s, each with its JSON Pointer (RFC 6901)."""
    details = error.errors(include_url=False) if isinstance(error, ValidationError) else error
    return [_problem(detail) for detail in details]


def refuse(title: str, findings: Iterable[Finding]) -> ValidationError:
    """A pydantic error that carries `findings`, to be raised within a validator."""
    return ValidationError.from_exception_data(title, [_line(finding) for finding in findings])


def explain(error: ValidationError, model: type[BaseModel], *, noun: str) -> list[Finding]:
    """Pydantic's errors about `model` with the value, the allowed range and the nearest names filled in."""
    by_path: dict[Path, Finding] = {}
    details = error.errors(include_url=False)
    for detail in sorted(details[:MAX_PROBLEMS], key=lambda one: one["type"] == "too_short"):
        finding = _kept(detail) or _explained(detail, model, noun=noun)
        # Pydantic calls a list too short when it is only left with too few sound items.
        if detail["type"] != "too_short" or not any(path[: len(finding.path)] == finding.path for path in by_path):
            by_path.setdefault(finding.path, finding)
    found = list(by_path.values())
    if len(details) > MAX_PROBLEMS:
        found.append(Finding((), None, f"There are {len(details) - MAX_PROBLEMS} more problems."))
    return found


def shown(value: Any) -> str:
    """`value` as short JSON for a sentence; never fails, whatever was sent."""
    try:
        text = json.dumps(value, ensure_ascii=False, default=_type_name)
    except (ValueError, RecursionError):
        text = _type_name(value)
    text = text.encode("utf-8", "backslashreplace").decode()
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 1] + "…"


def nearest(name: str, known: Iterable[str]) -> str:
    """` Did you mean "mlp"?` when a known name is close to `name`, else nothing."""
    close = difflib.get_close_matches(name[:64].lower(), list(known), n=2, cutoff=0.6)
    return f" Did you mean {' or '.join(shown(match) for match in close)}?" if close else ""


def _problem(detail: ErrorDetails) -> Problem:
    finding = _kept(detail)
    if finding is None:
        finding = Finding(detail["loc"], detail["input"], f"{shown(detail['input'])}: {detail['msg']}.")
    return Problem(pointer=_pointer(finding.path), message=finding.message, allowed=finding.allowed)


def _pointer(path: Path) -> str:
    text = "".join("/" + str(step)[:200].replace("~", "~0").replace("/", "~1") for step in path)
    return text.encode("utf-8", "backslashreplace").decode()


def _line(finding: Finding) -> InitErrorDetails:
    # The sentence is read from the context: as a template it would be searched for {braces}, which users may send.
    told = PydanticCustomError(_OURS, "{message}", {"message": finding.message, "allowed": finding.allowed})
    return InitErrorDetails(type=told, loc=finding.path, input=finding.value)


def _kept(detail: ErrorDetails) -> Finding | None:
    if detail["type"] != _OURS:
        return None
    context = detail["ctx"]
    return Finding(detail["loc"], detail["input"], context["message"], context["allowed"])


def _explained(detail: ErrorDetails, model: type[BaseModel], *, noun: str) -> Finding:
    value, kind = detail["input"], detail["type"]
    path, allowed = _located(model, detail["loc"])
    if kind == "extra_forbidden":
        return _unknown(detail["loc"], model, value=value, noun=noun)
    if kind == "missing":
        return Finding(detail["loc"], None, f"{shown(detail['loc'][-1])} is required.", allowed)
    words = [word for word in (allowed or {}).get("enum", ()) if isinstance(word, str)]
    hint = nearest(value, words) if isinstance(value, str) else ""
    said = SAID[kind].format_map(detail.get("ctx", {})) if kind in SAID else _lower(detail["msg"])
    return Finding(path, value, f"{shown(value)} is not allowed here: {said}.{hint}", allowed)


def _unknown(path: Path, model: type[BaseModel], *, value: Any, noun: str) -> Finding:
    name, (_, around) = str(path[-1]), _located(model, path[:-1])
    known = sorted((around or {}).get("properties", {}))
    inner = path[-3:-1] if len(path) > 2 and isinstance(path[-2], int) else path[-2:-1]
    within = f"`{'/'.join(map(str, inner))}`" if inner else noun
    return Finding(path, value, f"{shown(name)} is not a setting of {within}.{nearest(name, known)}", known)


def _located(model: type[BaseModel], path: Path) -> tuple[Path, dict[str, Any] | None]:
    """How far `path` leads into the model's JSON Schema, and what stands there."""
    schema = _schema(model)
    here: dict[str, Any] = schema
    for depth, step in enumerate(path):
        inner = _step(_resolved(here, schema), step)
        if inner is None:
            return path[:depth], _told(here, schema)
        here = inner
    return path, _told(here, schema)


@functools.cache
def _schema(model: type[BaseModel]) -> dict[str, Any]:
    return model.model_json_schema()


def _step(schema: Mapping[str, Any], step: str | int) -> dict[str, Any] | None:
    if isinstance(step, int):
        places = schema.get("prefixItems", ())
        inner = places[step] if step < len(places) else schema.get("items")
    else:
        anything = [*schema.get("patternProperties", {}).values(), schema.get("additionalProperties")]
        inner = schema.get("properties", {}).get(step, anything[0])
    return inner if isinstance(inner, dict) else None


def _resolved(schema: dict[str, Any], root: Mapping[str, Any]) -> dict[str, Any]:
    for choice in schema.get("anyOf", ()):
        if choice.get("type") != "null" and "oneOf" not in choice:
            return _resolved(choice, root)
    reference = schema.get("$ref")
    return root["$defs"][reference.rpartition("/")[2]] if reference else schema


def _told(schema: dict[str, Any], root: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in _resolved(schema, root).items() if key not in _UNTOLD}


def _lower(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]


def _type_name(value: Any) -> str:
    return f"this {type(value).__name__}"
