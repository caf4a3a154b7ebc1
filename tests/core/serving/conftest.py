"""Models trained on small data, and what they say of it, in this process."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from core.events import EpochDone
from core.files import sha256
from core.job import EpochRow
from core.loop import train
from core.serving.answering import answer
from core.serving.asking import Ask, Bounds, answered
from core.serving.warm import Warm
from core.spec import JobSpec
from tests.core.uploading import Shelf

BOUNDS = Bounds(rows=5_000, pixels=10_000, models=4, memory_bytes=10**8)


@dataclass
class Trained:
    """What a job left, and what it says when it is asked."""

    spec: JobSpec
    folder: Path
    rows: list[EpochRow]
    warm: Warm
    digests: tuple[str, str]
    """Of the card and the weights, as the job left them."""

    def ask(self, body: bytes, content_type: str = "application/json", bounds: Bounds = BOUNDS) -> dict[str, Any]:
        asked = Ask("job_1", self.folder, *self.digests, content_type, body)
        whole: dict[str, Any] = json.loads(answered(answer(asked, self.warm, bounds)))
        return whole

    def say(self, **body: Any) -> list[dict[str, Any]]:
        data: list[dict[str, Any]] = self.ask(json.dumps(body).encode())["data"]
        return data


MakeTrained = Callable[[JobSpec], Trained]


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    folder = tmp_path / "datasets"
    folder.mkdir()
    return Shelf(folder)


@pytest.fixture
def trained(tmp_path_factory: pytest.TempPathFactory, shelf: Shelf, cache: Path) -> MakeTrained:
    """Train the job of a spec to its end."""

    def run(spec: JobSpec) -> Trained:
        folder = tmp_path_factory.mktemp("model")
        told = list(train(spec, folder=folder, cache=cache, datasets=shelf.folder))
        rows = [event.row for event in told if isinstance(event, EpochDone)]
        card, weights = (sha256(folder / name) for name in ("model.json", "model.safetensors"))
        return Trained(spec, folder, rows, Warm(models=4, memory_bytes=10**8), (card, weights))

    return run
