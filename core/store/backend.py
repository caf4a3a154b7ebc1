"""What the store asks of a database: reads, and writes that are durable when they return."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol, TypeVar

from sqlalchemy import Connection

from core.errors import Unavailable
from core.failpoints import failpoint
from core.store.clock import Clock

Answer = TypeVar("Answer")


class Receipt(NamedTuple):
    """A log entry that a transaction wrote: whoever finds it knows that the transaction did commit."""

    job_id: str
    seq: int
    at: datetime


@dataclass(slots=True)
class Tx:
    """What a statement needs: the connection it runs on and the clock it goes by.

    A change without a `receipt` may be repeated freely; one with a receipt happens once. `point` is the failpoint
    around its commit.
    """

    conn: Connection
    clock: Clock
    receipt: Receipt | None = None
    point: str | None = None


class Unclear(Unavailable):
    """Nobody can say now whether the change was made; its receipt will tell."""

    def __init__(self, receipt: Receipt) -> None:
        super().__init__("The database went away while it committed; whether the change was made will be known later.")
        self.receipt = receipt


def passes(point: str | None, when: str) -> None:
    """Pass the failpoint `before` or `after` a commit."""
    if point is not None:
        failpoint(f"{point}.{when}_commit")


class Backend(Protocol):
    """A database; both calls raise Unavailable when it cannot answer."""

    in_place: bool

    def describe(self) -> str:
        """The database in words, without its password."""

    def healthy(self) -> None:
        """Return if a write can be made durable now."""

    def read(self, ask: Callable[[Tx], Answer]) -> Answer:
        """The answer to `ask`; each of its statements sees what is committed by then."""

    def write(self, change: Callable[[Tx], Answer]) -> Answer:
        """Run `change` in one transaction and return when it is durable; it may run twice, one run counts."""

    def close(self) -> None:
        """Finish the writes that wait and let the connections go."""
