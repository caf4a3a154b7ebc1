"""One contract suite over both databases: a test that asks for `store` runs on each."""

from __future__ import annotations

import multiprocessing
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from core.store import Store
from core.store.schema import upgrade
from tests.core.store.making import HandClock, emptied, settings, timed
from tests.servers import a_postgres

OpenStore = Callable[..., Store]


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "trainwire.db"
    upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres_of_this_run() -> Iterator[str]:
    with a_postgres() as url:
        upgrade(url)
        yield url


@pytest.fixture(scope="session")
def processes() -> Iterator[ProcessPoolExecutor]:
    """Four processes beside this one; each takes seconds to start, so the tests share them."""
    with ProcessPoolExecutor(4, mp_context=multiprocessing.get_context("spawn")) as processes:
        yield processes


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A migrated SQLite database."""
    shutil.copy(sqlite_template, tmp_path / "trainwire.db")
    return f"sqlite:///{tmp_path / 'trainwire.db'}"


@pytest.fixture
def postgres_url(postgres_of_this_run: str) -> str:
    """A migrated PostgreSQL database, empty."""
    return emptied(postgres_of_this_run)


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest) -> str:
    """A migrated database of each kind."""
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture
def open_store(url: str) -> Iterator[OpenStore]:
    """Opens stores on the one database, with settings; closes them behind the test."""
    opened: list[Store] = []

    def open_one(**fields: Any) -> Store:
        opened.append(Store.open(url, settings=settings(**fields)))
        return opened[-1]

    yield open_one
    for store in opened:
        store.close()


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def open_timed(url: str, clock: HandClock) -> Iterator[OpenStore]:
    """Opens stores on the one database that go by `clock`, with settings; closes them behind the test."""
    opened: list[Store] = []

    def open_one(**fields: Any) -> Store:
        opened.append(timed(url, clock, **fields))
        return opened[-1]

    yield open_one
    for store in opened:
        store.close()


@pytest.fixture
def store(open_store: OpenStore) -> Store:
    return open_store()
