"""A worker stands still for longer than its leases, and then goes on as if nothing had been."""

from __future__ import annotations

from functools import partial

import pytest

from tests.chaos.harm import freeze_a_worker, lease_s
from tests.chaos.siege import Siege
from tests.chaos.specs import HARMED
from tests.sizes import CELERY_ALWAYS


@pytest.mark.parametrize("door", CELERY_ALWAYS, indirect=True)
def test_a_worker_that_wakes_up_late_changes_nothing(siege: Siege) -> None:
    harm = partial(freeze_a_worker, siege.door, for_s=lease_s(siege.door))
    siege.besiege(harm, times=siege.size(3, 30), specs=HARMED, jobs=siege.size(3, 20))
    siege.verdict("SIGSTOP, SIGCONT")
