"""Where the memory does not suffice for a batch: smaller pieces, the same gradient, the same run."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from random import Random
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from core.checkpoint import Occasion, Stage
from core.events import Checkpointed, EpochDone, Finished, Noticed, Started
from core.job import Reason
from core.loop import assembly
from core.loop.failures import explain
from core.loop.position import Position
from core.spec import parse_spec
from tests.core.loop.interrupting import After, Attempt, Bench, pieced

JOB: dict[str, Any] = {
    "dataset": {"name": "blobs", "samples": 125, "features": 5, "classes": 3, "noise": 4},
    "model": {"name": "mlp", "hidden": [8]},
    "optimizer": {"name": "sgd", "momentum": 0.9},
    "lr": 0.05,
    "batch_size": 15,
    "epochs": 3,
    "clip_grad_norm": 0.5,
    "on_out_of_memory": "accumulate",
    "checkpoints": {"every_s": None},
}
EVERY_STEP = {"every_s": 0}
DROPOUT = {"name": "mlp", "hidden": [8], "dropout": 0.3}
ERRORS: list[Callable[[], Exception]] = [
    lambda: torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"),
    lambda: MemoryError("no more"),
    lambda: RuntimeError("[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory"),
]


class Cramped(nn.Module):
    """A model that has no room for more than `room` samples while it trains, and counts what it was asked for."""

    def __init__(self, inner: nn.Module, room: int, error: Callable[[], Exception]) -> None:
        super().__init__()
        self.inner, self.room, self.error = inner, room, error
        self.seen: Tensor
        self.register_buffer("seen", torch.zeros((), dtype=torch.int64))

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            self.seen += len(x)
            noise = torch.rand(()) + np.random.random()  # the generators stand elsewhere when the memory runs out
            x = x * (1 + 0 * noise)
            if len(x) > self.room:
                raise self.error()
        scores: Tensor = self.inner(x)
        return scores


@pytest.fixture
def cramp(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    make = assembly.make_model

    def to(room: int, error: Callable[[], Exception] = ERRORS[0]) -> None:
        monkeypatch.setattr(assembly, "make_model", lambda spec: Cramped(make(spec), room, error))

    return to


def sizes(attempt: Attempt) -> list[Any]:
    return [notice.facts["micro_batch"] for notice in attempt.every(Noticed)]


@pytest.mark.parametrize("error", ERRORS, ids=["cuda", "python", "cpu"])
def test_a_batch_that_does_not_fit_comes_in_pieces_and_gives_the_same_run(
    bench: Bench, cramp: Callable[..., None], error: Callable[[], Exception]
) -> None:
    cramp(1000)
    roomy = bench.attempt(JOB)
    cramp(4, error)
    told = bench.attempt(JOB)
    assert sizes(told) == [8, 4]
    for ours, theirs in zip(told.rows, roomy.rows, strict=True):
        assert ours.figures() == pytest.approx(theirs.figures(), abs=1e-6)


@pytest.mark.parametrize("optimizer", ["adam", {"name": "lbfgs", "max_iter": 3}])
def test_every_optimizer_gives_the_same_run_in_pieces(bench: Bench, cramp: Callable[..., None], optimizer: Any) -> None:
    job = {**JOB, "optimizer": optimizer, "lr": 0.1, "batch_size": 100, "clip_grad_norm": None}
    cramp(1000)
    roomy = bench.attempt(job)
    cramp(30)
    told = bench.attempt(job)
    assert sizes(told) == [50, 25]
    assert told.rows[-1].train_loss == pytest.approx(roomy.rows[-1].train_loss, abs=1e-5)


def test_it_is_told_and_kept_before_the_step_is_tried_again(bench: Bench, cramp: Callable[..., None]) -> None:
    cramp(8)
    told = bench.attempt(JOB)
    assert [type(event) for event in told.events] == [Started, Checkpointed, Noticed, *[EpochDone] * 3, Finished]
    kept = told.checkpoints[0]
    assert (kept.epoch, kept.step, kept.occasion) == (0, 0, Occasion.MEMORY)
    notice = told.every(Noticed)[0]
    assert notice.code == "micro_batch"
    assert notice.facts == {"micro_batch": 8, "batch_size": 15, "epoch": 1}
    assert "8" in notice.message
    assert "CUDA out of memory" in notice.message
    again = bench.attempt(JOB, kept)
    assert again.notices == []
    assert again.bits == told.bits


def test_two_sizes_at_one_step_are_two_checkpoints(bench: Bench, cramp: Callable[..., None]) -> None:
    cramp(4)
    told = bench.attempt({**JOB, "checkpoints": EVERY_STEP})
    names = [kept.path.rpartition("/")[2] for kept in told.checkpoints[:3]]
    assert names == ["000000-00000000", "000000-00000000-1", "000000-00000001"]


@pytest.mark.parametrize("model", [JOB["model"], DROPOUT], ids=["plain", "dropout"])
def test_a_run_in_pieces_goes_on_exactly_from_everywhere(
    bench: Bench, cramp: Callable[..., None], model: dict[str, Any]
) -> None:
    cramp(5)
    job = {**JOB, "model": model}
    whole = bench.attempt({**job, "checkpoints": EVERY_STEP})
    for kept in whole.checkpoints[::4]:
        assert pieced(whole, kept, bench.attempt(job, kept)) == whole.bits


def test_what_a_failed_step_drew_and_counted_is_taken_back(
    bench: Bench, cramp: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    cramp(8)
    job = {**JOB, "model": DROPOUT}
    failed_first = bench.attempt(job)
    monkeypatch.setattr(Position, "__init__", at_first(8))
    knew = bench.attempt(job)
    assert knew.notices == []
    assert knew.bits == failed_first.bits, "the weights' file holds the samples counted, too"


@pytest.mark.parametrize("patch", [{"batch_size": 8}, {"on_out_of_memory": "fail"}], ids=str)
def test_a_fork_begins_with_whole_batches_again(
    bench: Bench, cramp: Callable[..., None], patch: dict[str, Any]
) -> None:
    lineage = [Stage(parse_spec(JOB).model_dump(mode="json"), 1)]
    cramp(8)
    events: list[Any] = []
    with pytest.raises(torch.OutOfMemoryError) if "on_out_of_memory" in patch else nullcontext():
        bench.attempt({**JOB, **patch}, lineage=lineage, into=events)
    kept = Attempt(bench.root, events).every(Checkpointed)[-1].checkpoint
    assert (kept.epoch, kept.step) == (1, 0)
    path = next(bench.root.glob(f"*/checkpoints/{kept.path}/state.pt"))
    assert torch.load(path, weights_only=True)["parts"]["position"]["micro_batch"] is None


def at_first(micro_batch: int) -> Callable[..., None]:
    begin = Position.__init__
    return lambda self, **at: begin(self, **{**at, "micro_batch": micro_batch})


def test_weights_that_moved_before_the_memory_ran_out_move_back(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """lbfgs asks for the cost several times a step, and moves the weights in between."""
    job = {**JOB, "optimizer": {"name": "lbfgs", "max_iter": 4}, "lr": 0.5, "batch_size": 100, "clip_grad_norm": None}
    make, asked = assembly.make_model, iter(range(10_000))

    class Shrinking(Cramped):
        def forward(self, x: Tensor) -> Tensor:
            self.room = 50 if next(asked) >= 6 else 100  # it runs out in the middle of the second step
            return super().forward(x)

    monkeypatch.setattr(assembly, "make_model", lambda spec: Shrinking(make(spec), 100, ERRORS[0]))
    told = bench.attempt({**job, "checkpoints": EVERY_STEP})
    assert sizes(told) == [50]
    before = next(kept for kept in told.checkpoints if kept.occasion is Occasion.MEMORY)
    first = told.checkpoints[told.checkpoints.index(before) - 1]
    assert (first.epoch, first.step) == (before.epoch, before.step)
    assert first.files[0] == before.files[0], "the weights are those of the step before"
    for kept in (first, before):
        assert pieced(told, kept, bench.attempt(job, kept)) == told.bits


def test_one_sample_that_does_not_fit_ends_the_run(bench: Bench, cramp: Callable[..., None]) -> None:
    cramp(0)
    into: list[Any] = []
    with pytest.raises(torch.OutOfMemoryError) as raised:
        bench.attempt(JOB, into=into)
    assert [event.facts["micro_batch"] for event in into if isinstance(event, Noticed)] == [8, 4, 2, 1]
    assert explain(raised.value).reason is Reason.OUT_OF_MEMORY


def test_by_default_a_lack_of_memory_ends_the_run(bench: Bench, cramp: Callable[..., None]) -> None:
    cramp(8)
    with pytest.raises(torch.OutOfMemoryError):
        bench.attempt({**JOB, "on_out_of_memory": "fail"})


def test_another_error_of_a_step_is_not_taken_for_a_lack_of_memory(bench: Bench, cramp: Callable[..., None]) -> None:
    cramp(8, lambda: RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
    with pytest.raises(RuntimeError, match="shapes"):
        bench.attempt(JOB)


def test_a_lack_of_memory_while_the_weights_move_is_not_tried_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = torch.optim.SGD.step

    def halfway(self: torch.optim.SGD, closure: Any = None) -> Any:
        step(self, closure)
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(torch.optim.SGD, "step", halfway)
    with pytest.raises(torch.OutOfMemoryError):
        bench.attempt(JOB)


def test_interrupted_at_random_it_ends_the_same(bench: Bench, cramp: Callable[..., None]) -> None:
    cramp(5)
    chance, plain = Random(4), bench.attempt(JOB)
    attempts = [bench.attempt(JOB, stop=After(4))]
    while attempts[-1].stopped:
        kept = [one for attempt in reversed(attempts) for one in reversed(attempt.checkpoints)]
        attempts.append(bench.attempt(JOB, *kept, stop=After(chance.randrange(2, 9))))
    assert [bit for attempt in attempts for bit in attempt.bits] == plain.bits
