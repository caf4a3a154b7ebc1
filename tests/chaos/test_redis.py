"""Redis forgets everything, or crashes, every two seconds, while jobs are submitted."""

from __future__ import annotations

import signal
import time

import pytest

from tests.chaos.doors import CeleryDoor
from tests.chaos.harm import at_a_random_moment
from tests.chaos.siege import Siege
from tests.chaos.specs import HARMED, SMALL

EVERY_S = 2.0


@pytest.mark.parametrize("door", ["celery"], indirect=True)
def test_a_broker_that_forgets_loses_no_job(siege: Siege, celery: CeleryDoor) -> None:
    last = time.monotonic()
    for number in range(siege.size(20, 200)):
        siege.submit(HARMED[0] if number % 10 == 0 else SMALL)
        at_a_random_moment(siege.rng, (0.1, 0.5))
        if time.monotonic() - last > EVERY_S:
            _harm(siege, celery)
            last = time.monotonic()
    siege.verdict("FLUSHALL and crash of Redis", attempts=1)


def _harm(siege: Siege, celery: CeleryDoor) -> None:
    siege.harms += 1
    if siege.rng.random() < 0.5:
        celery.redis.flush()
    else:
        celery.redis.stop(signal.SIGKILL)
        at_a_random_moment(siege.rng)
        celery.redis.start()
