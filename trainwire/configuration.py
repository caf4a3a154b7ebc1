"""The settings of a process that this command line starts, refused in one sentence when they cannot be."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from core.errors import StartRefused
from core.settings import Settings


def configured(**given: Any) -> Settings:
    """`TRAINWIRE_*` of the environment, with what is `given` (and not None) before it; raises `StartRefused`."""
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        wrong = error.errors()[0]
        name = "TRAINWIRE_" + "_".join(map(str, wrong["loc"])).upper()
        raise StartRefused(f"{name} is {wrong['input']!r}: {wrong['msg']}.") from error
