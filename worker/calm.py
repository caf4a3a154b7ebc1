"""Whether a process may judge the leases of others: not right after its own database was away."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from core.errors import Unavailable


class Calm:
    """After an outage every worker gets a full lease to say that it lives, before this process sweeps.

    Who never missed the database, and a process that has just begun, judges at once.
    """

    def __init__(self, lease_s: float) -> None:
        self._lease_s = lease_s
        self._from = 0.0
        self.away = False
        """Whether the last call found no database."""

    def call(self, ask: Callable[[], None], *, within_s: float = math.inf) -> None:
        """Ask the database, which was away too if it took longer than `within_s`; raises Unavailable."""
        asked = time.monotonic()
        try:
            ask()
        except Unavailable:
            self.away = True
            raise
        if self.away or time.monotonic() - asked > within_s:
            self.away = False
            self._from = time.monotonic() + self._lease_s

    def may_judge(self) -> bool:
        """Whether a lease that ran out is its worker's fault."""
        return not self.away and time.monotonic() >= self._from
