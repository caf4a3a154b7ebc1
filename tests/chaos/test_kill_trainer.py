"""The process that trains is killed, again and again."""

from __future__ import annotations

from functools import partial

import pytest

from tests.chaos.harm import kill_a_trainer
from tests.chaos.siege import Siege
from tests.chaos.specs import HARMED
from tests.sizes import EMBEDDED_ALWAYS


@pytest.mark.parametrize("door", EMBEDDED_ALWAYS, indirect=True)
def test_a_killed_trainer_costs_nothing(siege: Siege) -> None:
    harm = partial(kill_a_trainer, siege.door)
    siege.besiege(harm, times=siege.size(10, 100), specs=HARMED, jobs=siege.size(3, 20))
    siege.verdict("kill -9 trainer")
