"""A hub that is open for as long as a story of a test takes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from api.hub import Hub
from core.bell import LocalWatchBell

_LONG_S = 60.0
"""A poll that does not come within a story."""


def run(store: Any, bell: LocalWatchBell, story: Callable[[Hub], Awaitable[None]], *, poll_s: float = _LONG_S) -> None:
    """Play a story with an open hub."""

    async def whole() -> None:
        hub = Hub(store, bell, poll_s=poll_s)
        await hub.start()
        try:
            await asyncio.wait_for(story(hub), 30)
        finally:
            hub.close()

    asyncio.run(whole())
