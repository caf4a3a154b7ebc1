"""The worker's settings from `TRAINWIRE_*`; what is wrong in them ends the process with a sentence."""

from __future__ import annotations

from pydantic import ValidationError

from core.settings import Settings


def configured() -> Settings:
    """The settings of the environment; raises SystemExit with what is wrong."""
    try:
        return Settings()
    except ValidationError as error:
        wrong = error.errors()[0]
        name = "TRAINWIRE_" + "_".join(map(str, wrong["loc"])).upper()
        raise SystemExit(f"{name} is {wrong['input']!r}: {wrong['msg']}.") from None
