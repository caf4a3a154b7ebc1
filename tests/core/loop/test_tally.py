"""An epoch's losses."""

import math

import pytest
import torch

from core.loading.samples import Samples
from core.loop.tally import Tally


def tally(*losses: float, size: int = 2) -> Tally:
    made = Tally()
    for loss in losses:
        made.add(torch.tensor(loss), size)
    return made


def test_the_mean_is_weighted_by_the_size_of_each_batch() -> None:
    made = tally(1.0, 1.0, size=4)
    made.add(torch.tensor(10.0), 1)
    assert made.mean() == 2.0
    assert made.samples == 9


def test_the_mean_over_thousands_of_steps_is_exact() -> None:
    losses = torch.rand(5000).tolist()
    assert tally(*losses).mean() == pytest.approx(math.fsum(losses) / 5000, rel=1e-15)


@pytest.mark.parametrize("odd", [math.nan, math.inf])
def test_a_mean_over_odd_losses_is_the_first_of_them(odd: float) -> None:
    made = tally(1.0, odd, math.nan, -math.inf)
    assert repr(made.mean()) == repr(odd)


@pytest.mark.parametrize("count", [1, 1023, 1024, 1025])
def test_the_latest_loss_says_whether_to_go_on(count: int) -> None:
    assert tally(*[1.0] * count).is_finite()
    assert not tally(*[1.0] * (count - 1), math.nan).is_finite()


def test_the_batches_pass_through_untouched_while_their_wait_is_counted() -> None:
    batches = [Samples(torch.zeros(2, 1), torch.zeros(2)) for _ in range(3)]
    made = Tally()
    assert [batch is given for batch, given in zip(made.timed(iter(batches)), batches, strict=True)] == [True] * 3
    assert made.waited_s > 0
