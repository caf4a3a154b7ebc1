"""What supervises the runs is killed: a Celery worker, or the whole embedded service."""

from __future__ import annotations

from functools import partial

import pytest

from tests.chaos.harm import kill_a_worker
from tests.chaos.siege import Siege
from tests.chaos.specs import HARMED
from tests.sizes import CELERY_ALWAYS


@pytest.mark.parametrize("door", CELERY_ALWAYS, indirect=True)
def test_a_killed_worker_costs_nothing(siege: Siege) -> None:
    harm = partial(kill_a_worker, siege.door)
    siege.besiege(harm, times=siege.size(3, 50), specs=HARMED, jobs=siege.size(3, 20))
    siege.verdict("kill -9 worker")
