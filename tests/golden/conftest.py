"""Epoch rows of a job, whatever else it tells."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.events import EpochDone
from core.job import EpochRow
from core.loop import train
from core.spec import parse_spec


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def train_rows(tmp_path: Path, cache: Path) -> Callable[..., list[EpochRow]]:
    """Train the job with these fields; its rows."""

    def rows(**fields: Any) -> list[EpochRow]:
        events = train(parse_spec(fields), folder=tmp_path, cache=cache)
        return [event.row for event in events if isinstance(event, EpochDone)]

    return rows
