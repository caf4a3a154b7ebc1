"""Runs of small jobs, gathered to their end."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from core.events import EpochDone, Finished, RunEvent, Started
from core.job import EpochRow, Progress
from core.loop import train
from core.spec import parse_spec
from tests.core.loop.interrupting import Bench


@dataclass(frozen=True)
class Told:
    """Everything that a run told, and the folder it left."""

    events: list[RunEvent]
    folder: Path

    @property
    def started(self) -> Started:
        first = self.events[0]
        assert isinstance(first, Started)
        return first

    @property
    def epochs(self) -> list[EpochDone]:
        return [event for event in self.events if isinstance(event, EpochDone)]

    @property
    def rows(self) -> list[EpochRow]:
        return [epoch.row for epoch in self.epochs]

    @property
    def figures(self) -> list[dict[str, float]]:
        return [row.figures() for row in self.rows]

    @property
    def card(self) -> Any:
        """What `model.json` says."""
        return json.loads((self.folder / "model.json").read_text())

    @property
    def readings(self) -> list[Progress]:
        return [event for event in self.events if isinstance(event, Progress)]

    @property
    def finished(self) -> Finished:
        last = self.events[-1]
        assert isinstance(last, Finished)
        return last


TrainJob = Callable[..., Told]


@pytest.fixture
def train_job(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> TrainJob:
    """Train the job with these fields to its end; `until` collects what was told even when it raises."""

    def run(into: list[RunEvent] | None = None, **fields: Any) -> Told:
        told = Told([] if into is None else into, tmp_path_factory.mktemp("job"))
        for event in train(parse_spec(fields), folder=told.folder, cache=cache):
            told.events.append(event)
        return told

    return run


@pytest.fixture(autouse=True)
def nothing_waits_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Thousands of small files are flushed here otherwise; that they would be is asserted in one place."""
    monkeypatch.setattr(os, "fsync", lambda _: None)


@pytest.fixture
def bench(tmp_path: Path, cache: Path) -> Bench:
    return Bench(tmp_path, cache)
