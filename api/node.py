"""What the API may know of the workers that live in its own process."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol, TypedDict


class Slot(TypedDict):
    """A place where one job can run."""

    device: str
    state: Literal["warming", "warm", "busy"]


class NodeView(Protocol):
    """The embedded node, as `/readyz` and `POST /v1/jobs` look at it."""

    @property
    def slots(self) -> Sequence[Slot]:
        """Each slot's device and state."""

    def devices(self, timeout: float) -> tuple[str, ...]:
        """The devices that can train here; waits at most `timeout` seconds for the first look at them."""
