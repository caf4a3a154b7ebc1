"""The database crashes, stays away for longer than any lease, or cannot be written."""

from __future__ import annotations

import signal
import sqlite3
from contextlib import closing

import pytest

from tests.chaos.harm import at_a_random_moment
from tests.chaos.services import CeleryDoor, EmbeddedDoor
from tests.chaos.siege import Siege
from tests.chaos.specs import HARMED, STREAMED

CRASH_EVERY_S = (1.0, 4.0)
CRASH_EVERY_FULL_S = (5.0, 40.0)


@pytest.mark.parametrize("door", ["celery"], indirect=True)
def test_a_database_that_crashes_and_stays_away_stops_no_training(siege: Siege, celery: CeleryDoor) -> None:
    jobs = [siege.submit(spec) for spec in (STREAMED, *HARMED)]
    for number in range(siege.size(1, 10)):
        siege.wait_epochs(jobs[0])
        celery.postgres.crash()
        at_a_random_moment(siege.rng, CRASH_EVERY_FULL_S if siege.full else CRASH_EVERY_S)
        if number % 5 == 0:
            celery.postgres.stop(signal.SIGQUIT)
            at_a_random_moment(siege.rng, (60.0, 60.0) if siege.full else (5.0, 5.0))
            celery.postgres.start()
            siege.harms += 1
        siege.harms += 1
        jobs += [siege.submit(spec) for spec in HARMED]
    siege.verdict("PostgreSQL crashed and stopped", attempts=1)


@pytest.mark.parametrize("door", ["embedded"], indirect=True)
def test_a_database_that_another_keeps_locked_stops_no_training(siege: Siege, embedded: EmbeddedDoor) -> None:
    jobs = [siege.submit(spec) for spec in HARMED]
    siege.wait_epochs(jobs[0])
    with closing(sqlite3.connect(embedded.folder / "trainwire.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        at_a_random_moment(siege.rng, (60.0, 60.0) if siege.full else (3.0, 3.0))
        other.execute("ROLLBACK")
    siege.harms += 1
    siege.verdict("SQLite locked", attempts=1)
