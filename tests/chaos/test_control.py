"""The control: with the fence or the unique key taken out, the same harm does damage, and the checks find it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from tests.acceptance.processes import wait_until
from tests.chaos import light
from tests.chaos.checks import Expected, damage
from tests.chaos.doors import CeleryDoor, running, settings
from tests.chaos.harm import frozen, kill_a_trainer
from tests.chaos.private import a_private_postgres, a_private_redis
from tests.chaos.seen import look
from tests.chaos.specs import Spec

LIGHT: Spec = {"name": "chaos-control", "dataset": "iris", "model": "linear", "epochs": 80}
WITHOUT = "CHAOS_WITHOUT"


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CeleryDoor]:
    """An API without workers: each test starts its own."""
    folder = tmp_path_factory.mktemp("control")
    with a_private_postgres() as postgres, a_private_redis() as redis:
        door = CeleryDoor(folder, settings(folder, full=False), postgres=postgres, redis=redis)
        door.app = "tests.chaos.unfenced"
        door.migrate()
        yield from running(door, "api")


@pytest.mark.full
def test_without_the_fence_a_late_writer_does_damage_that_is_found(bare: CeleryDoor) -> None:
    with _workers(bare, "one", "two", without="fence"):
        job_id = _training(bare)
        holder = next(worker for worker in bare.workers if worker.trainers())
        with frozen([holder.process.pid]):
            _hold(bare).unlink()
            wait_until(lambda: bare.job(job_id)["attempt"] == 2)
        _assert_found(bare, job_id)


def test_without_the_unique_key_an_epoch_is_doubled_and_that_is_found(bare: CeleryDoor) -> None:
    with psycopg.connect(bare.postgres.url, autocommit=True) as admin:
        admin.execute("ALTER TABLE epochs DROP CONSTRAINT pk_epochs")
    with _workers(bare, "one", without="key"):
        job_id = _training(bare)
        assert kill_a_trainer(bare, random.Random(0))
        _hold(bare).unlink()
        _assert_found(bare, job_id)


@contextmanager
def _workers(door: CeleryDoor, *names: str, without: str) -> Iterator[None]:
    _hold(door).touch()
    door.start(*names, **{WITHOUT: without, light.HOLD: str(_hold(door))})
    try:
        yield
    finally:
        for worker in door.workers:
            worker.kill(group=True)
            door.lay_down(worker)


def _training(door: CeleryDoor) -> str:
    """A job that stands still between two checkpoints, with every epoch so far stored."""
    job_id = door.submit(LIGHT)
    wait_until(lambda: bool(door.get(f"/v1/jobs/{job_id}/metrics", after=light.HELD_AT - 1, wait=5)["data"]))
    return job_id


def _hold(door: CeleryDoor) -> Path:
    return door.folder / "hold"


def _assert_found(door: CeleryDoor, job_id: str) -> None:
    door.wait_ended([job_id], within_s=60)
    found = damage(look(door, job_id), Expected(light.reference(LIGHT["epochs"]), attempts=2))
    assert found, "the checks saw nothing wrong"
