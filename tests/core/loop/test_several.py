"""Several processes train one run: with the figures of one process, and going on exactly wherever one of them died."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from core.data import PADDING
from core.events import Finished, Started
from core.loading import data
from core.loading.samples import Samples
from core.loop.assembly import assemble
from core.loop.peers import ALONE, Peers, order_of
from core.loop.run import Run
from core.loop.step import find_gradients
from tests.core.loop.interrupting import Attempt, Bench, pieced, stage, up_to
from tests.core.loop.several import Several
from tests.core.uploading import Shelf

BLOBS = {"name": "blobs", "samples": 126, "features": 5, "classes": 3, "noise": 4}
JOB: dict[str, Any] = {
    "dataset": BLOBS,
    "model": {"name": "mlp", "hidden": [8]},
    "optimizer": {"name": "sgd", "momentum": 0.9},
    "lr": 0.1,
    "batch_size": 9,
    "epochs": 2,
    "checkpoints": {"every_s": 0},
}
"""100 samples train: eleven batches of 9, and a last one of a single sample, of which the second process has none."""
TWO = {"resources": {"devices": 2}}
IN_TURN = [{"optimizer": "adam", "lr": 0.01, "epochs": 1}, {"optimizer": "sgd", "lr": 0.1, "epochs": 1}]
SLOW = [{"params": "hidden.0.*", "lr_scale": 0.25}]
DROPOUT = {"name": "mlp", "hidden": [8], "dropout": 0.3}


@pytest.fixture
def several(tmp_path: Path, cache: Path) -> Several:
    return Several(tmp_path, cache)


def same_figures(one: Attempt, other: Attempt) -> None:
    assert len(one.rows) == len(other.rows) > 0
    for row, like in zip(one.rows, other.rows, strict=True):
        assert row.figures() == pytest.approx(like.figures(), rel=1e-6, abs=1e-6)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"loader": {"num_workers": 1, "shuffle": False}, "clip_grad_norm": 0.5, "batch_size": 32},
        pytest.param(
            {"augment": [{"name": "mixup", "alpha": 1.0}, {"name": "noise", "std": 0.1}]}, marks=pytest.mark.full
        ),
        pytest.param(
            {
                "split": {"folds": 2, "test": 0.2},
                "early_stopping": {"patience": 1},
                "dataset": {**BLOBS, "samples": 40},
            },
            marks=pytest.mark.full,
        ),
        {"micro_batch_size": 2, "ema": {"decay": 0.9}, "freeze": ["output.bias"], "param_groups": SLOW},
        pytest.param({"lr": "auto", "batch_size": "auto"}, marks=pytest.mark.full),
        {"phases": IN_TURN, "optimizer": "adam", "lr": 0.01, "sharpness": {"directions": 2}, "seeds": 2},
    ],
    ids=["uneven", "clip", "mixed", "folds", "groups", "auto", "phases"],
)
@pytest.mark.filterwarnings("ignore:This DataLoader will create")
def test_two_processes_give_the_figures_of_one(bench: Bench, several: Several, changes: dict[str, Any]) -> None:
    job = {**JOB, **changes}
    one, two = bench.attempt(job), several.attempt({**job, **TWO})
    same_figures(one, two)
    ends = [attempt.every(Finished)[0] for attempt in (one, two)]
    for one_told, two_told in zip(*[(end.test or {}, end.sharpness or {}) for end in ends], strict=True):
        assert two_told == pytest.approx(one_told, rel=1e-5, abs=1e-6)
    started = two.every(Started)[0]
    assert (started.devices, started.inexact) == (2, None)


@pytest.mark.parametrize("size", [2, pytest.param(3, marks=pytest.mark.full)])
def test_a_run_whose_process_was_killed_in_mid_epoch_goes_on_exactly(several: Several, size: int) -> None:
    """Of three, gradients are added up in an order that must not depend on where the run began."""
    job = {**JOB, "batch_size": 30, "resources": {"devices": size}}
    whole, killed = several.attempt(job, size=size), several.attempt(job, size=size, kill_at=9)
    kept = killed.checkpoints[-1]
    assert (kept.epoch, kept.step) >= (1, 1)
    assert not killed.every(Finished)
    again = several.attempt(job, *reversed(killed.checkpoints), size=size)
    assert again.resumed
    assert again.resumed.inexact is None
    assert pieced(whole, kept, again) == whole.bits


def test_a_run_with_dropout_says_that_its_figures_are_its_own_and_goes_on_exactly(several: Several) -> None:
    job = {**JOB, "model": DROPOUT, "batch_size": 30, **TWO}
    whole = several.attempt(job)
    kept = whole.checkpoints[5]
    again = several.attempt(job, kept)
    assert "each draws its own dropout" in (whole.every(Started)[0].inexact or "")
    assert pieced(whole, kept, again) == whole.bits
    one, other = (
        torch.load(f"{kept.path}/state.pt", weights_only=True)["parts"]["random"] for kept in whole.checkpoints[4:6]
    )
    assert not torch.equal(one["others"][0]["torch"], other["others"][0]["torch"])
    assert not torch.equal(one["others"][0]["torch"], one["torch"])


def test_a_run_goes_on_with_another_number_of_processes_and_says_so(bench: Bench, several: Several) -> None:
    job = {**JOB, "batch_size": 30}
    one, two = bench.attempt(job), several.attempt({**job, **TWO})
    for first, again in (
        (two, bench.attempt(job, two.checkpoints[2])),
        (one, several.attempt({**job, **TWO}, one.checkpoints[2])),
    ):
        assert again.resumed
        assert "devices" in (again.resumed.inexact or "")
        same_figures(again, first)


READS: dict[str, Any] = {
    "model": {"name": "gpt", "n_layer": 1, "n_head": 2, "n_embd": 8, "dropout": 0},
    "preprocess": {"block_size": 8},
    "batch_size": 6,
}
FSDP = {"resources": {"devices": 2, "sharding": "fsdp"}}


@pytest.mark.parametrize(
    "job",
    [
        {**JOB, "batch_size": 30, "clip_grad_norm": 0.5, "micro_batch_size": 7, "optimizer": "adam", "lr": 0.01},
        pytest.param(
            {**JOB, "early_stopping": {"patience": 9}, "split": {"test": 0.2}, "micro_batch_size": 2},
            marks=pytest.mark.full,
        ),
        pytest.param({**JOB, "split": {"folds": 2}, "dataset": {**BLOBS, "samples": 40}}, marks=pytest.mark.full),
    ],
    ids=["clip", "best", "folds"],
)
def test_weights_in_pieces_give_the_figures_of_one_process_and_go_on_exactly(
    bench: Bench, several: Several, job: dict[str, Any]
) -> None:
    one, two = bench.attempt(job), several.attempt({**job, **FSDP})
    same_figures(one, two)
    kept = two.checkpoints[len(two.checkpoints) // 2]
    assert pieced(two, kept, several.attempt({**job, **FSDP}, kept)) == two.bits


def test_weights_in_pieces_are_whole_in_a_checkpoint_for_any_number_of_devices(bench: Bench, several: Several) -> None:
    job = {**JOB, "batch_size": 30, "optimizer": "adam", "lr": 0.01}
    one, pieces = bench.attempt(job), several.attempt({**job, **FSDP})
    for first, again in (
        (pieces, bench.attempt(job, pieces.checkpoints[2])),
        (one, several.attempt({**job, **FSDP}, one.checkpoints[2])),
        (pieces, several.attempt({**job, **TWO}, pieces.checkpoints[2])),
    ):
        assert again.resumed
        assert "sharding" in (again.resumed.inexact or "")
        same_figures(again, first)


def test_a_fork_of_weights_in_pieces_may_change_what_leaves_the_model_its_weights(
    bench: Bench, several: Several
) -> None:
    job = {**JOB, "batch_size": 30, "optimizer": "adam", "lr": 0.01, "model": DROPOUT}
    fork = {**job, "model": {**DROPOUT, "dropout": 0.0}}
    given, lineage = up_to(bench.attempt(job), 1)[-1:], [stage(job, 1)]
    one = bench.attempt(fork, *given, lineage=lineage)
    two = several.attempt({**fork, **FSDP}, *given, lineage=lineage)
    assert two.notices == one.notices == []
    same_figures(one, two)


def test_the_leader_says_when_all_stop(several: Several) -> None:
    job = {**JOB, "batch_size": 30, "checkpoints": {"every_s": None}, **TWO}
    stopped = several.attempt(job, stop_after=3)
    assert stopped.stopped
    assert [(kept.epoch, kept.step) for kept in stopped.checkpoints] != []
    again = several.attempt(job, *stopped.checkpoints)
    assert [*stopped.bits, *again.bits] == several.attempt(job).bits


def test_the_parts_of_a_batch_are_as_even_as_can_be_and_together_the_batch() -> None:
    peers = [Peer(rank, 3) for rank in range(3)]
    order = torch.arange(17)
    parts = [order_of(peer, order, batch_size=5).tolist() for peer in peers]
    assert parts == [[0, 1, 5, 6, 10, 11, 15], [2, 3, 7, 8, 12, 13, 16], [4, 9, 14]]
    assert order_of(ALONE, order, batch_size=5) is order


def test_a_part_of_a_batch_counts_by_its_tokens_that_are_no_padding(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    spec = shelf.spec(shelf.put("a.txt", b"to be or not to be, " * 60), {}, **READS)
    run = assemble(spec, data.make(spec, cache=None, datasets=tmp_path), device=torch.device("cpu"))
    batch = run.data.train.take(torch.arange(6))
    batch.y[4:, 2:] = PADDING
    one, gradients = found(run, batch)
    tokens, parts = run.count(batch), list[tuple[float, Tensor]]()
    for rank in range(3):
        run.peers = Peer(rank, 3, tokens)
        part = run.peers.part(6)
        parts.append(found(run, Samples(batch.x[part], batch.y[part])))
    assert sum(loss for loss, _ in parts) / 3 == pytest.approx(one, abs=1e-6)
    torch.testing.assert_close(sum(part for _, part in parts) / 3, gradients)


def found(run: Run, batch: Samples) -> tuple[float, Tensor]:
    loss = find_gradients(run, batch)
    return loss.item(), torch.cat(
        [weight.grad.flatten() for weight in run.model.parameters() if weight.grad is not None]
    )


class Peer(Peers):
    def __init__(self, rank: int, size: int, whole: int = 0) -> None:
        self.rank, self.size, self._whole = rank, size, whole

    def total(self, count: int) -> int:
        return self._whole or count


def test_what_is_left_to_the_run_is_found_by_its_leader(several: Several) -> None:
    job = {**JOB, "epochs": 1, **TWO}
    found = several.attempt({**job, "lr": "auto", "batch_size": "auto"})
    numbers = dict(found.every(Started)[0].resolved or {})
    assert numbers["batch_size"] == 16
    assert found.bits == several.attempt({**job, **numbers}).bits
