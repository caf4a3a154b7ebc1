"""What may not be deleted while jobs need it."""

from __future__ import annotations

from collections.abc import Sequence

from core.errors import WrongStatus

NAMED_JOBS = 20
"""How many of the jobs are named to whoever wants to delete what they need."""


def still_needed(told: str, needing: Sequence[str]) -> WrongStatus:
    """What to raise when these jobs, in order and one more than are named, keep what was `told` of from going."""
    more = " and others" if len(needing) > NAMED_JOBS else ""
    jobs = ", ".join(needing[:NAMED_JOBS])
    return WrongStatus(f"{told} {jobs}{more}.", hint="Let them end, or cancel them first.")
