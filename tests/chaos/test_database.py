"""The database crashes, stays away for longer than any lease, or cannot be written."""

from __future__ import annotations

import signal
import sqlite3
import statistics
from contextlib import closing

import pytest

from tests.chaos.doors import CeleryDoor, EmbeddedDoor
from tests.chaos.harm import at_a_random_moment
from tests.chaos.siege import Siege
from tests.chaos.specs import HARMED, LASTING, STREAMED

CRASH_EVERY_S = (1.0, 4.0)
CRASH_EVERY_FULL_S = (5.0, 40.0)
OUTAGE_S = 60.0
LOOSE = 1.3
"""What other work on the machine may do to a median, and what an epoch does beside its training pass."""


@pytest.mark.parametrize("door", ["celery"], indirect=True)
def test_a_database_that_crashes_and_stays_away_stops_no_training(siege: Siege, celery: CeleryDoor) -> None:
    jobs = [siege.submit(spec) for spec in (LASTING if siege.full else STREAMED, *HARMED)]
    for number in range(siege.size(1, 10)):
        siege.wait_epochs(jobs[0])
        celery.postgres.crash()
        at_a_random_moment(siege.rng, CRASH_EVERY_FULL_S if siege.full else CRASH_EVERY_S)
        if number % 5 == 0:
            celery.postgres.stop(signal.SIGQUIT)
            at_a_random_moment(siege.rng, (OUTAGE_S, OUTAGE_S) if siege.full else (5.0, 5.0))
            celery.postgres.start()
            siege.harms += 1
        siege.harms += 1
        siege.submit(siege.rng.choice(HARMED))
    siege.verdict("PostgreSQL crashed and stopped", attempts=1)


@pytest.mark.full
@pytest.mark.parametrize("door", ["celery"], indirect=True)
def test_an_epoch_takes_no_longer_while_the_database_is_away(siege: Siege, celery: CeleryDoor) -> None:
    job_id = siege.submit(LASTING)
    siege.wait_epochs(job_id, 500)
    before = len(siege.door.all_of(f"/v1/jobs/{job_id}/metrics"))
    celery.postgres.stop(signal.SIGQUIT)
    at_a_random_moment(siege.rng, (OUTAGE_S, OUTAGE_S))
    celery.postgres.start()
    siege.harms += 1
    siege.verdict("PostgreSQL stopped for 60 s under one long job", attempts=1)
    took = [row["epoch_s"] for row in siege.door.all_of(f"/v1/jobs/{job_id}/metrics")]
    away = took[before : before + int(OUTAGE_S / (statistics.median(took) * LOOSE))]
    there = took[:before] + took[before + len(away) :]
    ratio = statistics.median(away) / statistics.median(there)
    print(f"epoch_s with the database away: {ratio:.3f} of that with it there ({len(away)} and {len(there)} epochs)")
    assert ratio < LOOSE


@pytest.mark.full
@pytest.mark.parametrize("door", ["embedded"], indirect=True)
def test_a_database_that_another_keeps_locked_stops_no_training(siege: Siege, embedded: EmbeddedDoor) -> None:
    jobs = [siege.submit(spec) for spec in HARMED]
    siege.wait_epochs(jobs[0])
    with closing(sqlite3.connect(embedded.folder / "trainwire.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        at_a_random_moment(siege.rng, (OUTAGE_S, OUTAGE_S) if siege.full else (3.0, 3.0))
        other.execute("ROLLBACK")
    siege.harms += 1
    siege.verdict("SQLite locked", attempts=1)
