"""Draws are a pure function of what they are for, the same on every device, and even."""

from __future__ import annotations

import pytest
import torch

from core.augment.draws import Draws, _mixed, _signed

ROWS = torch.arange(20_000)


def draws(rows: torch.Tensor = ROWS, **where: int) -> Draws:
    return Draws.of(rows, **{"seed": 1, "epoch": 2, "step": 3, "place": 0, **where})


def test_the_integers_are_splitmix64s_own() -> None:
    """The first outputs for the seed 1234567, as published with the algorithm."""
    state = torch.tensor([1234567 + n * 0x9E3779B97F4A7C15 & (1 << 64) - 1 for n in (1, 2, 3)], dtype=torch.uint64)
    found = [number % (1 << 64) for number in _mixed(state.view(torch.int64)).tolist()]
    assert found == [6457827717110365317, 3203168211198807973, 9817491932198370423]


def test_a_constant_above_the_largest_int64_wraps_around() -> None:
    assert _signed(0xFFFFFFFFFFFFFFFF) == -1
    assert _signed(5) == 5


def test_a_samples_draws_rest_on_its_number_alone() -> None:
    some = torch.tensor([7, 19_999, 0, 7])
    assert torch.equal(draws(some).uniform(3), draws().uniform(3)[:, some])
    assert torch.equal(draws(some, step=9).normal(5), draws().normal(5)[some])


@pytest.mark.parametrize("other", [{"seed": 2}, {"epoch": 3}, {"place": 1}])
def test_another_seed_epoch_or_augmentation_draws_other_numbers(other: dict[str, int]) -> None:
    first, second = draws().uniform(1)[0], draws(ROWS, **other).uniform(1)[0]
    assert abs(torch.corrcoef(torch.stack([first, second]))[0, 1]) < 0.03
    assert (first == second).float().mean() < 0.001


def test_what_a_batch_shares_rests_on_the_step() -> None:
    assert draws().for_batch().random() == draws(ROWS[:3]).for_batch().random()
    assert draws().for_batch().random() != draws(step=4).for_batch().random()


def test_uniform_draws_are_even_and_never_1() -> None:
    found = draws().uniform(4)
    counts = torch.histc(found, bins=20, min=0, max=1)
    chi_squared = float(((counts - 4000) ** 2 / 4000).sum())
    assert chi_squared < 43.8  # 19 degrees of freedom, one in a thousand
    assert 0 <= found.min() < 0.0001
    assert 0.9999 < found.max() < 1
    assert torch.corrcoef(found).fill_diagonal_(0).abs().max() < 0.03


def test_normal_draws_are_normal() -> None:
    found = draws().normal(5)
    assert found.shape == (20_000, 5)
    assert found.isfinite().all()
    assert float(found.mean()) == pytest.approx(0, abs=0.01)
    assert float(found.std()) == pytest.approx(1, abs=0.01)
    assert float((found.abs() < 1).float().mean()) == pytest.approx(0.6827, abs=0.005)
    assert torch.corrcoef(found.T).fill_diagonal_(0).abs().max() < 0.03


def test_the_global_generators_stay_where_they_are() -> None:
    before = torch.get_rng_state()
    draws().normal(2)
    draws().for_batch().permutation(5)
    assert torch.equal(before, torch.get_rng_state())
