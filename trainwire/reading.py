"""What a user hands to a command in JSON: a spec, a patch, or single settings as KEY=VALUE."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from core.errors import BadRequest


def json_object(file: str, *, what: str) -> dict[str, Any]:
    """The JSON object in `file` (-: standard input); raises BadRequest in a sentence, naming `what` it should be."""
    name = "Standard input" if file == "-" else file
    try:
        found = json.loads(sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes())
    except OSError as error:
        raise BadRequest(f"{name} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise BadRequest(f"{name} is not JSON: it is not text.") from error
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"{name} is not JSON: {error}.") from error
    if not isinstance(found, dict):
        raise BadRequest(f"{name} holds no {what}.")
    return found


def patch_of(file: str | None, settings: Iterable[str]) -> dict[str, Any] | None:
    """The merge patch in `file` with each KEY=VALUE of `settings` over it; None when neither says anything."""
    patch = json_object(file, what="patch: a patch is a JSON object with the settings to change") if file else {}
    for setting in settings:
        key, given, value = setting.partition("=")
        if not given or not all(key.split(".")):
            raise BadRequest(f"{setting!r} changes nothing: say KEY=VALUE, as in lr=0.01 or model.dropout=0.2.")
        _put(patch, key.split("."), _value(value), setting=setting)
    return patch or None


def _put(patch: dict[str, Any], path: list[str], value: Any, *, setting: str) -> None:
    here = patch
    for step in path[:-1]:
        here = here.setdefault(step, {})
        if not isinstance(here, dict):
            taken = f"{step} is {json.dumps(here)} already"
            raise BadRequest(f"{setting!r} has no place: {taken}. For a part with settings say {step}.name=….")
    here[path[-1]] = value


def _value(text: str) -> Any:
    """JSON where it is JSON (0.01, true, null, [64, 64]), else the text itself (adam)."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
