"""Waiting for a condition of the API, without a guess at how long it takes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from fastapi.testclient import TestClient


def until(condition: Callable[[], bool], *, within_s: float = 10.0) -> None:
    """Return once `condition` holds."""
    pause = threading.Event()
    for _ in range(int(within_s / 0.005)):
        if condition():
            return
        pause.wait(0.005)
    raise AssertionError("it did not happen in time")


def until_watched(client: TestClient, *, by: int = 1) -> None:
    """Return once so many streams or long polls wait at the hub."""
    app: Any = client.app
    until(lambda: app.state.api.hub.watchers >= by)
