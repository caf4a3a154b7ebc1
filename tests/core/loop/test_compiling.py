"""Compiled models: the same losses, the same names, the same bits again, and what is told where it cannot be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from core.errors import InvalidSpec
from core.job import Reason
from core.loop.failures import explain
from tests.core.loop.interrupting import Bench, pieced, stage

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:torch", "ignore:.*is deprecated:DeprecationWarning")
"""Torch's compiler warns of torch's own parts while it is imported."""

TrainJob = Callable[..., Any]

SMALL: dict[str, Any] = {
    "dataset": "iris",
    "model": "linear",
    "lr": 0.01,
    "batch_size": 40,
    "epochs": 2,
    "checkpoints": {"every_s": 0},
}
"""Three batches of 40: one kernel."""
LARGER: dict[str, Any] = {
    **SMALL,
    "dataset": {"name": "blobs", "samples": 60, "features": 5, "classes": 3, "noise": 4},
    "model": {"name": "mlp", "hidden": [8], "dropout": 0.3, "batch_norm": True},
    "batch_size": 20,
}


def test_a_compiled_model_trains_to_the_same_losses_and_goes_on_exactly(bench: Bench) -> None:
    plain, compiled = bench.attempt(SMALL), bench.attempt({**SMALL, "compile": True})
    for one, other in zip(compiled.rows, plain.rows, strict=True):
        assert one.figures() == pytest.approx(other.figures(), abs=1e-5)
    assert load_file(compiled.weights).keys() == load_file(plain.weights).keys()
    kept = compiled.checkpoints[4]
    assert pieced(compiled, kept, bench.attempt({**SMALL, "compile": True}, kept)) == compiled.bits


@pytest.mark.full
@pytest.mark.parametrize(
    "extra",
    [{}, {"precision": "bf16", "ema": {"decay": 0.9}, "micro_batch_size": 6, "freeze": ["hidden.0.*"]}],
    ids=str,
)
def test_larger_models_and_the_rest_of_the_engine_go_on_exactly_too(bench: Bench, extra: dict[str, Any]) -> None:
    job = {**LARGER, **extra, "compile": True}
    compiled, plain = bench.attempt(job), bench.attempt({**job, "compile": False})
    for one, other in zip(compiled.rows, plain.rows, strict=True):
        assert one.train_loss == pytest.approx(other.train_loss, rel=1e-2)
    for kept in compiled.checkpoints:
        assert pieced(compiled, kept, bench.attempt(job, kept)) == compiled.bits


@pytest.mark.full
@pytest.mark.parametrize("was", [False, True], ids=["begins", "ends"])
def test_a_fork_may_begin_or_end_it(bench: Bench, was: bool) -> None:
    fork = {**LARGER, "compile": not was, "model": {**LARGER["model"], "dropout": 0.1}}
    lineage = [stage({**LARGER, "compile": was}, 1)]
    told = bench.attempt(fork, lineage=lineage)
    for kept in told.checkpoints[1::2]:
        assert pieced(told, kept, bench.attempt(fork, kept, lineage=lineage)) == told.bits


def test_without_a_compiler_the_job_ends_with_the_remedy(train_job: TrainJob, monkeypatch: pytest.MonkeyPatch) -> None:
    from torch._inductor import cpp_builder, exc

    def missing() -> str:
        raise exc.InvalidCxxCompiler

    monkeypatch.setattr(cpp_builder, "get_cpp_compiler", missing)
    with pytest.raises(InvalidSpec, match="no C\\+\\+ compiler") as raised:
        train_job(**SMALL, compile=True)
    assert raised.value.param == "/compile"


def test_what_cannot_be_compiled_is_a_problem_of_the_spec() -> None:
    def refusing(*_: Any) -> Any:
        raise ValueError("no kernel for this")

    compiled = torch.compile(torch.nn.Linear(2, 2), backend=refusing)
    with pytest.raises(Exception, match="no kernel for this") as raised:
        compiled(torch.ones(1, 2))
    failed = explain(raised.value)
    assert (failed.reason, failed.error.param) == (Reason.INVALID_SPEC, "/compile")
    assert "no kernel for this" in failed.error.message
