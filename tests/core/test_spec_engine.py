"""What a spec may ask of a step, and what of that does not fit together."""

from __future__ import annotations

from typing import Any

import pytest

from core.errors import SpecRefused
from core.job import Problem
from core.registry import optimizers
from core.spec import parse_spec
from core.spec.patching import patched

NORMED = {"name": "mlp", "batch_norm": True}


def refused(**spec: Any) -> Problem:
    with pytest.raises(SpecRefused) as caught:
        parse_spec({"dataset": "iris", "model": "linear", **spec})
    (problem,) = caught.value.problems
    return problem


def taken(**spec: Any) -> None:
    parse_spec({"dataset": "iris", "model": "linear", **spec})


def test_a_micro_batch_is_no_larger_than_a_batch() -> None:
    problem = refused(batch_size=16, micro_batch_size=17)
    assert (problem.pointer, problem.allowed) == ("/micro_batch_size", {"maximum": 16})
    taken(batch_size=16, micro_batch_size=16)
    taken(batch_size=1000, micro_batch_size=500)


def test_batch_norm_takes_micro_batches_of_two_and_more() -> None:
    # 120 training samples make seven batches of 16 and one of 8
    assert refused(model=NORMED, batch_size=16, micro_batch_size=1).pointer == "/micro_batch_size"
    problem = refused(model=NORMED, batch_size=16, micro_batch_size=5)
    assert problem.message.startswith("5 cuts a batch of 16 into pieces of which the smallest has 1")
    last = refused(model=NORMED, batch_size=16, micro_batch_size=7)
    assert last.message.startswith("7 cuts a batch of 8 into pieces")
    taken(model=NORMED, batch_size=16, micro_batch_size=7, loader={"drop_last": True})
    taken(model=NORMED, batch_size=16, micro_batch_size=6)
    taken(batch_size=16, micro_batch_size=5)


def test_a_batch_that_only_fits_in_pieces_is_taken_in_pieces() -> None:
    dataset = {"name": "random", "samples": 200_000, "features": 8}
    large = {"dataset": dataset, "model": {"name": "mlp", "hidden": [16_384]}, "batch_size": 100_000}
    assert refused(**large).pointer == "/batch_size"
    taken(**large, micro_batch_size=1_000)


def test_fp16_scales_the_cost_of_one_step_alone() -> None:
    full = {"optimizer": "lbfgs", "batch_size": 120}
    problem = refused(**full, precision="fp16")
    assert (problem.pointer, problem.allowed) == ("/precision", ["fp32", "bf16"])
    taken(**full, precision="bf16")


def test_an_average_takes_the_memory_of_one_more_set_of_weights() -> None:
    dataset = {"name": "random", "samples": 100, "features": 100_000}
    large = {"dataset": dataset, "model": {"name": "mlp", "hidden": [960]}}
    spec = {**large, "optimizer": {"name": "lbfgs", "history_size": 8}, "batch_size": 100}
    taken(**spec)
    assert refused(**spec, ema={}).pointer == "/model"


def test_groups_need_an_optimizer_that_takes_them() -> None:
    groups = [{"params": "*.bias", "lr_scale": 2}, {"params": "*", "weight_decay": 0.1}]
    taken(param_groups=groups, optimizer="sgd")
    assert refused(param_groups=groups, optimizer="lbfgs", batch_size=120).pointer == "/param_groups"


def test_a_decay_replaces_one_that_the_optimizer_has(monkeypatch: pytest.MonkeyPatch) -> None:
    def plain(weights: Any, lr: float = 0.1) -> Any:
        """Without decay."""

    monkeypatch.setattr(optimizers, "_parts", {**optimizers._parts})
    optimizers.register(plain)
    taken(param_groups=[{"params": "*", "lr_scale": 2}], optimizer="plain")
    problem = refused(param_groups=[{"params": "*", "weight_decay": 0}], optimizer="plain")
    assert problem.pointer == "/param_groups/0/weight_decay"


def test_a_glob_is_kept_as_a_list_of_one() -> None:
    spec = parse_spec({"dataset": "iris", "model": "linear", "param_groups": [{"params": "*.bias"}]})
    assert spec.param_groups[0].params == ("*.bias",)
    assert refused(param_groups=[{"params": []}]).pointer == "/param_groups/0/params"
    assert refused(param_groups=[{"params": ["*", ""]}]).pointer.startswith("/param_groups/0/params")


def test_a_patch_of_the_batch_keeps_the_micro_batch_within_it() -> None:
    old = parse_spec({"dataset": "iris", "model": "linear", "micro_batch_size": 16}).model_dump(mode="json")
    assert patched(old, {"micro_batch_size": 4}, epoch=1).micro_batch_size == 4
    with pytest.raises(SpecRefused) as caught:
        patched(old, {"batch_size": 8}, epoch=1)
    assert [one.pointer for one in caught.value.problems] == ["/patch/micro_batch_size"]
