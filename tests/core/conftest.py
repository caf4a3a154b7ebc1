"""What the tests of loading and of the loop share."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where bundled tables are kept as arrays."""
    return tmp_path_factory.mktemp("cache")
