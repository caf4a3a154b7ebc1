"""A real store on SQLite, the API over it in memory, and the same API on a socket."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from api.app import create_app
from api.server import Server
from core.bell import LocalWatchBell
from core.settings import Settings
from core.store import Store, schema
from tests.api.playing import Play, WorkBellFake

MakeApp = Callable[..., FastAPI]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    artifacts = tmp_path / "artifacts"
    artifacts.mkdir()
    return Settings(database_url=f"sqlite:///{tmp_path / 'trainwire.db'}", artifacts=artifacts)


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database with its tables: a copy costs a test less than the migrations."""
    path = tmp_path_factory.mktemp("migrated") / "trainwire.db"
    schema.upgrade(f"sqlite:///{path}")
    assert [found.name for found in path.parent.iterdir()] == [path.name], "the file is all there is of it"
    return path


@pytest.fixture
def store(settings: Settings, migrated: Path) -> Iterator[Store]:
    shutil.copy(migrated, settings.database_url.removeprefix("sqlite:///"))
    opened = Store.open(settings.database_url, settings=settings)
    yield opened
    opened.close()


@pytest.fixture
def bell() -> LocalWatchBell:
    return LocalWatchBell()


@pytest.fixture
def bell_rings(bell: LocalWatchBell) -> list[str]:
    rung: list[str] = []
    bell.listen(rung.append)
    return rung


@pytest.fixture
def work_bell() -> WorkBellFake:
    return WorkBellFake()


@pytest.fixture
def play(store: Store, bell: LocalWatchBell) -> Play:
    return Play(store, bell)


@pytest.fixture
def make_app(store: Store, bell: LocalWatchBell, work_bell: WorkBellFake, settings: Settings) -> MakeApp:
    def make(*, node: Any = None, over: Store | None = None, **changes: Any) -> FastAPI:
        changed = Settings(**{**settings.model_dump(), **changes})
        return create_app(store=over or store, watch_bell=bell, work_bell=work_bell, settings=changed, node=node)

    return make


@pytest.fixture
def client(make_app: MakeApp) -> Iterator[TestClient]:
    with TestClient(make_app()) as ready:
        yield ready


@pytest.fixture
def connect(make_app: MakeApp) -> Iterator[Callable[..., TestClient]]:
    with ExitStack() as open_ones:

        def make(*, headers: dict[str, str] | None = None, **changes: Any) -> TestClient:
            return open_ones.enter_context(TestClient(make_app(**changes), headers=headers))

        yield make


@pytest.fixture
def server(make_app: MakeApp) -> Iterator[Server]:
    with Server(make_app(), "127.0.0.1", 0) as running:
        yield running


@pytest.fixture
def http(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=20, trust_env=False) as connected:
        yield connected
