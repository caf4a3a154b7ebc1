"""The best epoch, and when to stop."""

import math

import pytest

from core.job import EpochRow, Reason
from core.loop.stopping import Leaders, Watch


def row(epoch: int, *, train_loss: float = 1.0, val_loss: float | None = None, accuracy: float = 0.0) -> EpochRow:
    metrics = {"val_accuracy": accuracy}
    return EpochRow(epoch, train_loss, val_loss, metrics, lr=0.1, epoch_s=1.0, samples_per_s=1.0, data_wait_s=0.0)


def bests(watch: Watch, losses: list[float]) -> list[bool]:
    return [watch.see(row(epoch, val_loss=loss)) for epoch, loss in enumerate(losses, 1)]


def test_an_epoch_is_best_when_it_beats_every_earlier_one() -> None:
    assert bests(Watch("val_loss"), [1.0, 0.5, 0.7, 0.5, 0.4999]) == [True, True, False, False, True]


def test_a_metric_that_rises_is_best_at_its_largest() -> None:
    watch = Watch("val_accuracy", rises=True)
    assert [watch.see(row(n, accuracy=a)) for n, a in enumerate([0.1, 0.3, 0.2], 1)] == [True, True, False]
    assert watch.best is not None
    assert watch.best.epoch == 2


def test_a_nan_is_never_the_best() -> None:
    assert bests(Watch("val_loss"), [math.nan, 1.0, math.nan]) == [False, True, False]


def test_without_patience_a_run_never_stops_early() -> None:
    watch = Watch("val_loss")
    bests(watch, [1.0] * 50)
    assert watch.reason is None


def stops_at(watch: Watch, losses: list[float]) -> int | None:
    for epoch, loss in enumerate(losses, 1):
        watch.see(row(epoch, train_loss=loss, val_loss=loss))
        if watch.reason:
            return epoch
    return None


def test_a_run_stops_after_patience_epochs_without_a_gain() -> None:
    assert stops_at(Watch("val_loss", patience=3), [1.0, 0.9, 0.9, 0.95, 0.9, 0.1]) == 5


def test_a_gain_within_min_delta_does_not_count() -> None:
    assert stops_at(Watch("val_loss", patience=2, min_delta=0.1), [1.0, 0.95, 0.92, 0.1]) == 3


def test_small_gains_count_once_they_add_up() -> None:
    assert stops_at(Watch("val_loss", patience=3, min_delta=0.1), [1.0, 0.95, 0.88, 0.83, 0.77, 0.72]) is None


@pytest.mark.parametrize(
    ("monitor", "reason"), [("train_loss", Reason.CONVERGED), ("val_loss", Reason.EARLY_STOPPED)], ids=str
)
def test_the_reason_says_which_figure_stood_still(monitor: str, reason: Reason) -> None:
    watch = Watch(monitor, patience=1)
    assert stops_at(watch, [1.0, 1.0]) == 2
    assert watch.reason is reason


def test_the_best_costs_are_as_many_as_asked_for_and_a_tie_is_not_better() -> None:
    leaders = Leaders("val_loss", 2)
    told = [leaders.see(row(1, val_loss=cost)) for cost in (5.0, 7.0, 7.0, 6.0, 6.0, 5.0, 1.0)]
    assert told == [True, True, False, True, False, True, True]


def test_a_figure_that_is_no_number_is_never_among_the_best() -> None:
    leaders = Leaders("val_loss", 5)
    assert not leaders.see(row(1, val_loss=math.nan))
    assert leaders.cost(row(1, val_loss=math.nan)) is None


def test_costs_of_another_figure_are_forgotten() -> None:
    one, other = Leaders("val_loss", 1), Leaders("val_accuracy", 1)
    one.see(row(1, val_loss=0.0))
    other.load_state_dict(one.state_dict())
    assert other.see(row(2, accuracy=0.1))
