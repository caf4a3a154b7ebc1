"""The moving average of the weights: what it is, and that it is what a run is judged by and leaves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from core.checkpoint import Stage
from core.loading import data
from core.loop import load_model
from core.loop.assembly import assemble
from core.loop.step import take_step
from core.spec import parse_spec
from tests.core.loop.interrupting import Bench, stage

TrainJob = Callable[..., Any]

JOB: dict[str, Any] = {
    "dataset": {"name": "blobs", "samples": 125, "features": 5, "classes": 3, "noise": 4},
    "model": {"name": "mlp", "hidden": [8], "batch_norm": True},
    "optimizer": {"name": "sgd", "momentum": 0.9},
    "lr": 0.3,
    "batch_size": 10,
    "epochs": 4,
}
RESTORING = {"monitor": "val_loss", "patience": 50}


def test_behind_each_step_it_moves_its_share_towards_the_weights() -> None:
    spec = parse_spec({**JOB, "ema": {"decay": 0.75}})
    run = assemble(spec, data.make(spec, cache=None), device=torch.device("cpu"))
    expected: dict[str, torch.Tensor] = {}
    for batch in run.batches():
        take_step(run, batch)
        for name, now in run.model.state_dict().items():
            known = expected.get(name, now).clone()
            expected[name] = 0.75 * known + 0.25 * now if now.is_floating_point() else now.clone()
    for name, averaged in run.judged.state_dict().items():
        torch.testing.assert_close(averaged, expected[name])


def test_without_memory_of_earlier_steps_it_is_the_weights(train_job: TrainJob) -> None:
    assert train_job(**JOB, ema={"decay": 0}).figures == train_job(**JOB).figures


@pytest.mark.parametrize("extra", [{}, {"early_stopping": RESTORING}, {"split": {"folds": 2}}], ids=str)
def test_the_weights_that_are_left_are_those_that_were_validated(train_job: TrainJob, extra: dict[str, Any]) -> None:
    told = train_job(**{**JOB, **extra}, ema={"decay": 0.9})
    row = told.card["weights"]
    assert row["ema"] == {"decay": 0.9}
    spec = parse_spec({**told.card["spec"]})
    held = data.make(spec, cache=None).held
    assert held is not None
    model = load_model(told.folder)
    cost = torch.nn.functional.cross_entropy(model(held.x), held.y)
    assert cost.item() == pytest.approx(told.rows[row["epoch"] - 1].val_loss, abs=1e-6)


def test_training_itself_does_not_see_it(train_job: TrainJob) -> None:
    plain, averaged = train_job(**JOB), train_job(**JOB, ema={"decay": 0.9})
    assert [row.train_loss for row in averaged.rows] == [row.train_loss for row in plain.rows]
    assert [row.val_loss for row in averaged.rows] != [row.val_loss for row in plain.rows]


def test_the_test_part_is_judged_by_the_average_that_is_kept(train_job: TrainJob) -> None:
    job = {**JOB, "split": {"test": 0.2}, "ema": {"decay": 0.9}, "early_stopping": RESTORING}
    told = train_job(**job)
    held = data.make(parse_spec(job), cache=None).test
    assert held is not None
    cost = torch.nn.functional.cross_entropy(load_model(told.folder)(held.x), held.y)
    assert told.finished.test["loss"] == pytest.approx(cost.item(), abs=1e-6)


@pytest.mark.parametrize("was", [None, {"decay": 0.5}], ids=str)
def test_an_average_goes_on_in_a_fork_under_another_decay_and_a_new_one_begins_there(bench: Bench, was: Any) -> None:
    parent, fork = {**JOB, "ema": was}, {**JOB, "ema": {"decay": 0.99}}
    lineage: list[Stage] = [stage(parent, 3)]
    told = bench.attempt(fork, lineage=lineage)
    anew = bench.attempt(fork, lineage=[stage({**JOB, "ema": None}, 3)])
    assert [row.train_loss for row in told.rows] == [row.train_loss for row in anew.rows]
    assert (told.rows[3].val_loss == anew.rows[3].val_loss) is (was is None)


def test_a_fork_may_end_it(bench: Bench) -> None:
    told = bench.attempt(JOB, lineage=[stage({**JOB, "ema": {"decay": 0.9}}, 2)])
    plain = bench.attempt(JOB)
    assert told.rows[1].val_loss != plain.rows[1].val_loss
    assert told.rows[3].figures() == plain.rows[3].figures()
    assert told.weights.read_bytes() == plain.weights.read_bytes()
