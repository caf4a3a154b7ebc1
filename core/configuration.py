"""The settings of this process from `TRAINWIRE_*`, refused in one sentence when they cannot be."""

from __future__ import annotations

import os
from typing import Any

from pydantic import ValidationError

from core.errors import StartRefused
from core.settings import Settings

PREFIX = "TRAINWIRE_"
ELSEWHERE = ("TRAINWIRE_URL", "TRAINWIRE_PORT", "TRAINWIRE_TEST_")
"""What the client, docker-compose.yml and the tests read."""


def configured(**given: Any) -> Settings:
    """`TRAINWIRE_*` of the environment, with what is `given` (and not None) before it; raises StartRefused."""
    _refuse_unknown()
    try:
        settings = Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        wrong = error.errors()[0]
        raise StartRefused(f"{_variable(*wrong['loc'])} is {wrong['input']!r}: {wrong['msg']}.") from error
    if settings.lease_s < 2 * settings.heartbeat_s:
        raise StartRefused(
            f"TRAINWIRE_LEASE_S is {settings.lease_s:g}, less than twice TRAINWIRE_HEARTBEAT_S "
            f"({settings.heartbeat_s:g}): one late heartbeat would cost a worker its jobs.",
            hint="Raise the lease, or lower the heartbeat.",
        )
    return settings


def _refuse_unknown() -> None:
    """A misspelt variable would be a setting that silently does not hold."""
    known = [_variable(field) for field in Settings.model_fields]
    for name in sorted(os.environ):
        if name.startswith(PREFIX) and name not in known and not name.startswith(ELSEWHERE):
            raise StartRefused(f"{name} is not a setting of Trainwire; these are: {', '.join(known)}.")


def _variable(*path: object) -> str:
    return PREFIX + "_".join(map(str, path)).upper()
