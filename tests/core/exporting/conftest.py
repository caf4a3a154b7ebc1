"""A trained model to export."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.loop import train
from core.spec import parse_spec

Trained = Callable[..., Path]


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """Train a spec of these fields; the folder of its model."""

    def run(**fields: Any) -> Path:
        folder = tmp_path_factory.mktemp("model")
        for _ in train(parse_spec(fields), folder=folder, cache=None):
            pass
        return folder

    return run
