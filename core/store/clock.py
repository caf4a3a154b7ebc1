"""The clocks of the store: wall time for what people read, a steady one for leases."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

from sqlalchemy import ColumnElement, func, literal

from core.store.columns import Instant

_INSTANT = Instant()


class Clock(Protocol):
    """Moments as SQL, so that the database's own clock can say them."""

    def now(self) -> ColumnElement[datetime]:
        """This moment, for people."""

    def after(self, seconds: float) -> ColumnElement[datetime]:
        """The moment `seconds` from now, for leases."""


class ServerClock:
    """PostgreSQL's clock: the one all workers share (`now()` would be the transaction's start)."""

    def now(self) -> ColumnElement[datetime]:
        """This moment."""
        return func.clock_timestamp(type_=_INSTANT)

    def after(self, seconds: float) -> ColumnElement[datetime]:
        """The moment `seconds` from now."""
        return func.clock_timestamp(type_=_INSTANT) + func.make_interval(0, 0, 0, 0, 0, 0, seconds)


class HostClock:
    """The host's clock; leases run by its monotonic one, so neither a set clock nor a sleeping laptop ends them."""

    def __init__(self) -> None:
        self._opened = wall_time()
        self._ticks = time.monotonic()

    def now(self) -> ColumnElement[datetime]:
        """This moment."""
        return literal(wall_time(), _INSTANT)

    def after(self, seconds: float) -> ColumnElement[datetime]:
        """The moment `seconds` from now."""
        return literal(self._opened + timedelta(seconds=time.monotonic() - self._ticks + seconds), _INSTANT)


def wall_time() -> datetime:
    """What the host's clock shows."""
    return datetime.now(UTC)
