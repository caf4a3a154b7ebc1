"""Every wake-up comes ten times over, to two workers."""

from __future__ import annotations

from contextlib import closing

import pytest

from api.bells import CeleryWorkBell
from tests.chaos.doors import CeleryDoor
from tests.chaos.siege import Siege
from tests.chaos.specs import SMALL

TIMES = 10


@pytest.mark.parametrize("door", ["celery"], indirect=True)
def test_a_wake_up_that_comes_ten_times_starts_no_job_twice(siege: Siege, celery: CeleryDoor) -> None:
    jobs = siege.size(8, 200)
    with closing(CeleryWorkBell(celery.redis.url, served=lambda: ("cpu",))) as bell:
        for _ in range(jobs):
            siege.submit(SMALL)
            for _ in range(TIMES):
                bell.ring(None)
    siege.harms += jobs * TIMES
    siege.verdict("wake-ups ten times over", attempts=1)
