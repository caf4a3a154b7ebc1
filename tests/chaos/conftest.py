"""What the chaos tests share: one running service per door, a seed, and the verdict behind each experiment."""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.doors import CeleryDoor, EmbeddedDoor, running, settings
from tests.chaos.private import a_private_postgres, a_private_redis
from tests.chaos.report import Report
from tests.chaos.services import Door
from tests.chaos.siege import Siege

SEED = "TRAINWIRE_TEST_SEED"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent not in item.path.parents:
            continue
        if not sys.platform.startswith("linux"):
            item.add_marker(pytest.mark.skip(reason="finds processes in /proc"))
        if config.getoption("--full"):
            item.add_marker(pytest.mark.timeout(3600), append=False)


@pytest.fixture(scope="session")
def full(request: pytest.FixtureRequest) -> bool:
    """Whether the large sizes run, with the default times."""
    return bool(request.config.getoption("--full"))


@pytest.fixture(scope="session")
def report(full: bool) -> Iterator[Report]:
    """The counts, which go into docs/reliability.md behind a full run."""
    made = Report()
    yield made
    if full:
        made.write()


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    """The seed of this test's monkeys: given, or drawn and told."""
    chosen = int(os.environ.get(SEED) or random.SystemRandom().randrange(1_000_000))
    size = " --full" if request.config.getoption("--full") else ""
    again = f"{SEED}={chosen} .venv/bin/pytest{size} '{request.node.nodeid}'"
    print(f"\nseed {chosen}; once more: {again}")  # pytest shows it with every failure
    return chosen


@pytest.fixture
def rng(seed: int) -> random.Random:
    return random.Random(seed)


@pytest.fixture(scope="session", params=["embedded", "celery"])
def door(request: pytest.FixtureRequest, full: bool, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """One running service for all experiments of a door; each leaves it whole."""
    folder = tmp_path_factory.mktemp(request.param)
    yield from _embedded(folder, full=full) if request.param == "embedded" else _celery(folder, full=full)


@pytest.fixture
def celery(door: Door) -> CeleryDoor:
    """The door with a broker and a database server."""
    assert isinstance(door, CeleryDoor)
    return door


@pytest.fixture
def embedded(door: Door) -> EmbeddedDoor:
    """The door of one process."""
    assert isinstance(door, EmbeddedDoor)
    return door


@pytest.fixture
def siege(request: pytest.FixtureRequest, door: Door, report: Report, seed: int, full: bool) -> Siege:
    """An experiment on the shared service of a door."""
    return Siege(door, report, seed=seed, full=full, test=request.node.nodeid)


def _embedded(folder: Path, *, full: bool) -> Iterator[Door]:
    yield from running(EmbeddedDoor(folder, settings(folder, full=full)))


def _celery(folder: Path, *, full: bool) -> Iterator[Door]:
    with a_private_postgres() as postgres, a_private_redis() as redis:
        door = CeleryDoor(folder, settings(folder, full=full), postgres=postgres, redis=redis)
        door.migrate()
        yield from running(door)
