"""Phases in one run: each by its own optimizer, rate and schedule, exactly as a fork would go on with them."""

from __future__ import annotations

from typing import Any

import pytest

from core.errors import Diverged
from core.events import Noticed, RunEvent
from core.job import Reason
from core.loop import load_model
from tests.core.loop.conftest import Told, TrainJob
from tests.core.loop.interrupting import After, Bench, bits, pieced, stage, up_to

ADAM: dict[str, Any] = {"optimizer": "adam", "lr": 0.01, "epochs": 2}
SGD: dict[str, Any] = {"optimizer": {"name": "sgd", "momentum": 0.9}, "lr": 0.1, "epochs": 3, "scheduler": "cosine"}
JOB: dict[str, Any] = {
    "dataset": {"name": "blobs", "samples": 60, "noise": 4},
    "model": {"name": "mlp", "hidden": [8], "dropout": 0.2},
    "batch_size": 16,
    "phases": [ADAM, SGD],
    "checkpoints": {"every_s": None},
}
EVERY_STEP = {"every_s": 0}


def begun(told: Told) -> list[dict[str, Any]]:
    notices = [event for event in told.events if isinstance(event, Noticed)]
    assert {notice.code for notice in notices} <= {"phase_begins"}
    return [dict(notice.facts) for notice in notices]


def test_the_first_phase_trains_as_a_job_of_it_alone_does(bench: Bench) -> None:
    whole = bench.attempt(JOB)
    first = bench.attempt({**JOB, "phases": None, **ADAM})
    assert [bits(row) for row in whole.rows[:2]] == [bits(row) for row in first.rows]
    assert len(whole.rows) == 5


def test_a_phase_goes_on_as_a_fork_with_its_settings_does(bench: Bench) -> None:
    whole = bench.attempt(JOB)
    alone = {**JOB, "phases": None}
    fork = bench.attempt({**alone, **SGD, "epochs": 5}, lineage=[stage({**alone, **ADAM, "epochs": 9}, until=2)])
    assert whole.bits == fork.bits


def test_a_schedule_begins_anew_with_each_phase_over_its_own_epochs(bench: Bench) -> None:
    warm = {"optimizer": "sgd", "lr": 0.4, "epochs": 2, "scheduler": {"name": "constant", "warmup_epochs": 1}}
    rows = bench.attempt({**JOB, "phases": [SGD, warm, SGD]}).rows
    assert [row.lr for row in rows] == pytest.approx([0.1, 0.075, 0.025, 0.4 / 3, 0.4, 0.1, 0.075, 0.025])


def test_the_same_optimizer_keeps_its_state_and_another_starts_fresh(bench: Bench) -> None:
    adam = {**ADAM, "epochs": 1}
    torn, whole = bench.attempt({**JOB, "phases": [adam, adam]}), bench.attempt({**JOB, "phases": [ADAM]})
    other = bench.attempt({**JOB, "phases": [adam, {**adam, "optimizer": {"name": "adam", "eps": 1e-7}}]})
    assert torn.bits == whole.bits, "two phases alike are one"
    assert other.rows[1].figures() != whole.rows[1].figures()


def test_a_notice_tells_when_each_phase_begins(train_job: TrainJob) -> None:
    told = train_job(**JOB)
    assert begun(told) == [
        {"phase": 1, "phases": 2, "epoch": 0, "epochs": 2, "optimizer": "adam", "lr": 0.01, "scheduler": "constant"},
        {"phase": 2, "phases": 2, "epoch": 2, "epochs": 3, "optimizer": "sgd", "lr": 0.1, "scheduler": "cosine"},
    ]
    assert told.started.epochs == 5


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"early_stopping": {"patience": 3}},
        {"seeds": 2},
        {"split": {"folds": 2, "test": 0.2}},
        {"ema": {"decay": 0.9}, "freeze": ["*.0.bias"], "param_groups": [{"params": "output.*", "lr_scale": 0.5}]},
    ],
    ids=["one", "restores_best", "seeds", "folds", "engine"],
)
def test_phases_go_on_exactly_from_every_batch_and_at_their_border(bench: Bench, more: dict[str, Any]) -> None:
    job = {**JOB, "phases": [ADAM, {**SGD, "epochs": 2}], **more, "checkpoints": EVERY_STEP}
    first = bench.attempt(job)
    places = {(kept.epoch, kept.step) for kept in first.checkpoints}
    assert {(1, 1), (2, 0), (2, 1), (3, 0)} <= places
    for kept in first.checkpoints[:: 2 if more else 1]:
        assert pieced(first, kept, bench.attempt(job, kept)) == first.bits


def test_phases_stop_wherever_they_are_asked_to_and_go_on(bench: Bench) -> None:
    whole = bench.attempt(JOB)
    for times in (1, 6, 7, 8, 9, 11):
        first = bench.attempt(JOB, stop=After(times))
        assert first.stopped
        kept = first.checkpoints[-1]
        assert pieced(first, kept, bench.attempt(JOB, kept)) == whole.bits


@pytest.mark.parametrize("more", [{"seeds": 2}, {"split": {"folds": 2}}], ids=["seeds", "folds"])
def test_each_round_goes_through_all_phases(bench: Bench, train_job: TrainJob, more: dict[str, Any]) -> None:
    alone = [{"seed": 0}, {"seed": 1}] if "seeds" in more else [{"split": {"folds": 2, "fold": one}} for one in (1, 2)]
    whole = bench.attempt({**JOB, **more})
    others = [bench.attempt({**JOB, **one}) for one in alone]
    assert [bits(row) for row in whole.rows] == [bits(row) for other in others for row in other.rows]
    told = train_job(**JOB, **more)
    assert [(one["phase"], one["epoch"]) for one in begun(told)] == [(1, 0), (2, 2), (1, 5), (2, 7)]
    assert told.started.epochs == 10
    assert [one["optimizer"]["name"] for one in told.card["spec"]["phases"]] == ["adam", "sgd"]


@pytest.mark.parametrize(("patience", "epochs"), [(2, 5 + 2), (4, 5 + 4), (6, 5 + 6)])
def test_early_stopping_ends_the_last_phase_only_and_waits_there_anew(
    train_job: TrainJob, patience: int, epochs: int
) -> None:
    never_better = {"patience": patience, "min_delta": 100}
    told = train_job(**{**JOB, "phases": [{**ADAM, "epochs": 5}, {**SGD, "epochs": 9}]}, early_stopping=never_better)
    assert len(told.rows) == epochs
    assert told.finished.reason is Reason.EARLY_STOPPED


def test_the_card_has_the_phases_and_the_model_is_read_by_it(train_job: TrainJob) -> None:
    told = train_job(**JOB)
    spec = told.card["spec"]
    assert [one["epochs"] for one in spec["phases"]] == [2, 3]
    assert (spec["optimizer"]["name"], spec["lr"], spec["epochs"]) == ("adam", 0.01, 5)
    load_model(told.folder)


def test_a_run_that_diverges_names_the_rate_of_its_phase(train_job: TrainJob) -> None:
    told: list[RunEvent] = []
    job = {**JOB, "dataset": "diabetes", "model": "linear"}
    with pytest.raises(Diverged) as refused:
        train_job(told, **{**job, "phases": [{**ADAM, "epochs": 1}, {**SGD, "lr": 1e6, "epochs": 40}]})
    assert refused.value.info.param == "/phases/1/lr"


@pytest.mark.parametrize("epoch", [1, 2, 3, 4])
def test_a_fork_without_changes_is_the_same_run_whatever_phase_it_begins_in(bench: Bench, epoch: int) -> None:
    job = {**JOB, "checkpoints": EVERY_STEP}
    parent = bench.attempt(job)
    for kept in [(), tuple(reversed(up_to(parent, epoch))), tuple(up_to(parent, 1))]:
        fork = bench.attempt(job, *kept[:1], lineage=[stage(job, epoch)])
        begun = fork.resumed.epoch if fork.resumed else 0
        assert fork.bits == parent.bits[begun:]


@pytest.mark.parametrize("epoch", [2, 3])
def test_a_fork_changes_what_is_left_of_the_phases(bench: Bench, epoch: int) -> None:
    """From the border, where the parent's checkpoint may stand in the phase that is changed, and from within it."""
    slow = {**SGD, "lr": 0.01, "scheduler": "constant"}
    fork = {**JOB, "phases": [ADAM, {**slow, "epochs": 2}, {**ADAM, "epochs": 1}]}
    parent = bench.attempt(JOB | {"checkpoints": EVERY_STEP})
    kept = up_to(parent, epoch)[-1]
    again = bench.attempt(fork, kept, lineage=[stage(JOB, epoch)])
    afresh = bench.attempt(fork, lineage=[stage(JOB, epoch)])
    assert [row.lr for row in again.rows][epoch - kept.epoch :] == [0.01, 0.01, 0.01][epoch - 2 :]
    assert again.bits == afresh.bits[kept.epoch :]
    further = bench.attempt(fork, lineage=[stage(JOB, epoch), stage(fork, 4)])
    assert further.bits == afresh.bits


def test_a_full_batch_polish_follows_mini_batches(train_job: TrainJob) -> None:
    told = train_job(
        **{**JOB, "model": "linear", "batch_size": 48, "phases": [ADAM, {"optimizer": "lbfgs", "epochs": 2}]}
    )
    losses = [row.train_loss for row in told.rows]
    assert losses[3] < losses[1]
