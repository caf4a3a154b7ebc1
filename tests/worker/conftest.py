"""What the worker's tests share: one launcher with acting children, and a database for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core import artifacts
from core.settings import Settings
from core.store import Store
from core.store.schema import upgrade
from tests.worker.place import KeptLauncher, Place


@pytest.fixture(scope="session")
def launcher() -> Iterator[KeptLauncher]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRAINWIRE_DATABASE_URL", "postgresql://user:secret@host/base")
        made = KeptLauncher(trainer="tests.worker.acting", max_lines=100)
        made.open_it()
    yield made
    made.close_it()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = Settings(
        database_url=f"sqlite:///{tmp_path}/trainwire.db",
        artifacts=tmp_path / "artifacts",
        slots=2,
        heartbeat_s=0.2,
        lease_s=2.0,
        sweep_s=0.1,
        poll_s=0.2,
        watch_s=0.05,
        grace_s=0.5,
        backoff_s=0.05,
        max_attempts=3,
    )
    artifacts.mark(made.artifacts)
    return made


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    upgrade(settings.database_url)
    made = Store.open(settings.database_url, settings=settings)
    yield made
    made.close()


@pytest.fixture
def place(store: Store, settings: Settings, launcher: KeptLauncher) -> Iterator[Place]:
    made = Place(store, settings, launcher)
    yield made
    for node in made.nodes:
        node.drain()
