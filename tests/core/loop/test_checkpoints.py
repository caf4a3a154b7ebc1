"""What lies on the disk: whole or not at all, with its hashes; and what becomes of one that is broken."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from safetensors.torch import load_file

from core.checkpoint import Checkpoint
from core.events import Noticed
from core.loop import checkpoints
from tests.core.loop.interrupting import After, Attempt, Bench, pieced

JOB: dict[str, Any] = {
    "dataset": "iris",
    "model": {"name": "mlp", "hidden": [8], "dropout": 0.1},
    "batch_size": 40,
    "epochs": 3,
    "early_stopping": {"patience": 50},
    "checkpoints": {"every_s": 0},
}


@pytest.fixture
def first(bench: Bench) -> Attempt:
    return bench.attempt(JOB)


def test_a_checkpoint_names_its_files_with_their_hashes(first: Attempt) -> None:
    kept = first.checkpoints[-1]
    assert kept.id.startswith("ckpt_")
    assert [file.name for file in kept.files] == ["best.safetensors", "model.safetensors", "state.pt"]
    for file in kept.files:
        content = (Path(kept.path) / file.name).read_bytes()
        assert (file.bytes, file.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    assert [Path(one.path).name for one in first.checkpoints[:4]] == [
        "000000-00000001", "000000-00000002", "000000-00000003", "000001-00000000",
    ]  # fmt: skip


def test_every_file_and_its_folder_are_flushed_before_the_name_and_the_name_behind(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    rename = Path.rename

    def noted(path: Path, target: Path) -> Path:
        order.append("renamed")
        return rename(path, target)

    monkeypatch.setattr(checkpoints, "fsync", lambda path: order.append(path.name))
    monkeypatch.setattr(Path, "rename", noted)
    bench.attempt({**JOB, "checkpoints": {"every_s": None}}, stop=After(2))
    assert order.pop(2).startswith(".000000-00000002.")
    assert order == ["model.safetensors", "state.pt", "renamed", "checkpoints"]


def test_no_best_weights_are_kept_before_there_are_any_or_where_none_are_wanted(bench: Bench, first: Attempt) -> None:
    assert len(first.checkpoints[0].files) == 2
    assert len(first.checkpoints[3].files) == 3
    job = {**JOB, "early_stopping": None}
    assert all(len(kept.files) == 2 for kept in bench.attempt(job).checkpoints)


def test_the_weights_are_safetensors_and_the_rest_loads_without_code(first: Attempt) -> None:
    path = Path(first.checkpoints[0].path)
    assert {*load_file(path / "model.safetensors")} == {*load_file(first.weights)}
    state = torch.load(path / "state.pt", weights_only=True)
    assert set(state) == {"parts", "fingerprint", "inexact"}


def test_the_cost_is_that_of_the_epoch_it_stands_behind_less_is_better(bench: Bench) -> None:
    told = bench.attempt({**JOB, "checkpoints": {"every_s": 0, "monitor": "val_accuracy"}})
    costs = {one.epoch: one.cost for one in told.checkpoints if not one.step}
    assert costs == {row.epoch: -row.metrics["val_accuracy"] for row in told.rows if row.epoch in costs}
    assert {one.cost for one in told.checkpoints if one.step} == {None}


class Damage(NamedTuple):
    how: str
    do: Callable[[Path], object]
    told: str


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def instead_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


DAMAGES = [
    Damage("truncated", lambda path: path.write_bytes(path.read_bytes()[:-1]), "bytes instead of"),
    Damage("empty", lambda path: path.write_bytes(b""), "0 bytes instead of"),
    Damage("flipped", flip, "SHA-256"),
    Damage("missing", lambda path: path.unlink(), "missing"),
    Damage("folder", instead_a_folder, "missing"),
]


@pytest.mark.parametrize("file", ["model.safetensors", "best.safetensors", "state.pt"])
@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.how)
def test_a_broken_checkpoint_is_told_and_the_one_before_it_taken(
    bench: Bench, first: Attempt, damage: Damage, file: str
) -> None:
    newest, before = first.checkpoints[-1], first.checkpoints[-3]
    damage.do(Path(newest.path) / file)
    again = bench.attempt(JOB, newest, before)
    assert again.resumed
    assert again.resumed.checkpoint == before.id
    notice = again.every(Noticed)[0]
    assert notice.code == "checkpoint_unusable"
    assert notice.facts["checkpoint"] == newest.id
    assert damage.told in str(notice.facts["why"])
    assert str(notice.facts["why"]) in notice.message
    assert pieced(first, before, again) == first.bits


def resealed(kept: Checkpoint) -> Checkpoint:
    """The checkpoint with the hashes that its files have now."""
    files = tuple(
        replace(file, bytes=len(content), sha256=hashlib.sha256(content).hexdigest())
        for file in kept.files
        for content in [(Path(kept.path) / file.name).read_bytes()]
    )
    return replace(kept, files=files)


def edited(kept: Checkpoint, edit: Callable[[dict[str, Any]], object]) -> Checkpoint:
    path = Path(kept.path) / "state.pt"
    state = torch.load(path, weights_only=True)
    edit(state)
    torch.save(state, path)
    return resealed(kept)


def test_what_was_written_whole_but_does_not_load_is_told_too(bench: Bench, first: Attempt) -> None:
    taken = first.checkpoints
    (Path(taken[-1].path) / "state.pt").write_bytes(b"no archive")
    (Path(taken[-2].path) / "model.safetensors").write_bytes(b"no tensors")
    candidates = [
        resealed(taken[-1]),
        resealed(taken[-2]),
        replace(taken[-3], files=taken[-3].files[:1]),
        edited(taken[-4], lambda state: state["parts"].pop("optimizer")),
        edited(taken[-5], lambda state: state["parts"]["position"].update(unknown=1)),
        edited(taken[-6], lambda state: state["parts"]["position"].update(stage=3)),
        replace(taken[-7], step=2, epoch=1),
        replace(taken[-8], path="/nowhere"),
    ]
    again = bench.attempt(JOB, *candidates)
    assert again.notices == ["checkpoint_unusable"] * 8
    assert again.resumed is None
    assert again.bits == first.bits


def test_a_checkpoint_of_other_weights_is_told_too(bench: Bench, first: Attempt) -> None:
    other = {**JOB, "model": {"name": "mlp", "hidden": [9], "dropout": 0.1}}
    again = bench.attempt(other, first.checkpoints[-1])
    assert again.notices == ["checkpoint_unusable"]
    assert "size mismatch" in str(again.every(Noticed)[0].facts["why"])
    assert again.bits == bench.attempt(other).bits


def test_a_lack_of_memory_while_loading_is_no_fault_of_the_checkpoint(
    bench: Bench, first: Attempt, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none_left(*_: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(checkpoints, "load_file", none_left)
    with pytest.raises(torch.OutOfMemoryError):
        bench.attempt(JOB, first.checkpoints[-1])
