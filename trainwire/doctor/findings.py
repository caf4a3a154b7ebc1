"""What the doctor says of one thing: ok, a remark, or broken, with what was seen and the remedy."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from core.errors import TrainwireError


class Verdict(StrEnum):
    """How bad it is."""

    OK = "ok"
    REMARK = "remark"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    name: str
    verdict: Verdict
    seen: str
    remedy: str | None = None


def ok(name: str, seen: str) -> Finding:
    """All is well."""
    return Finding(name, Verdict.OK, seen)


def remark(name: str, seen: str, remedy: str) -> Finding:
    """It works, and could be better."""
    return Finding(name, Verdict.REMARK, seen, remedy)


def broken(name: str, seen: str, remedy: str | None) -> Finding:
    """It does not work."""
    return Finding(name, Verdict.BROKEN, seen, remedy)


def told(name: str, look: Callable[[], Iterable[Finding]]) -> Iterator[Finding]:
    """What `look` finds; that it cannot look is a finding too."""
    try:
        yield from look()
    except TrainwireError as error:
        yield broken(name, error.message, error.hint)
    except Exception as error:  # noqa: BLE001  (a doctor who dies of what he finds is none)
        yield broken(name, f"{type(error).__name__}: {error}".partition("\n")[0], None)
