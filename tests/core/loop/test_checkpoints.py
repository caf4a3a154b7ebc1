"""What lies on the disk: whole or not at all, with its hashes; and what becomes of one that is broken."""

from __future__ import annotations

import errno
import hashlib
import json
import resource
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from core.checkpoint import Checkpoint
from core.errors import StorageFull
from core.events import Noticed
from core.job import Reason
from core.loop import checkpoints, fingerprint, space, weights
from core.loop.failures import explain
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


class Disk(NamedTuple):
    total: int
    used: int
    free: int


def test_no_checkpoint_is_begun_without_room_for_two_and_a_margin(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Disk(10**9, 0, space.MARGIN + 1000))
    with pytest.raises(StorageFull) as raised:
        bench.attempt(JOB)
    assert "16.8 MB left" in raised.value.message
    assert str(bench.root) in raised.value.message
    assert "Free some space" in (raised.value.hint or "")
    assert explain(raised.value).reason is Reason.STORAGE_FULL


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
@pytest.mark.parametrize(
    "error",
    [
        lambda number: OSError(number, "no room"),
        lambda number: SafetensorError(f"I/O error: no room (os error {number})"),
    ],
    ids=["system", "safetensors"],
)
def test_a_disk_that_fills_up_while_writing_leaves_nothing_half_done(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, number: int, error: Callable[[int], Exception]
) -> None:
    def full(*_: Any) -> None:
        raise error(number)

    monkeypatch.setattr(checkpoints, "save_file", full)
    with pytest.raises(StorageFull, match="no room"):
        bench.attempt(JOB)
    assert [path for path in bench.root.rglob("*") if path.is_file()] == []
    assert not any(path.name.startswith(".") for path in bench.root.rglob("*"))


@pytest.mark.parametrize(("limit", "file"), [(20_000, "safetensors"), (60_000, "state.pt")])
def test_a_limit_on_the_size_of_files_is_a_full_disk(bench: Bench, limit: int, file: str) -> None:
    job = {**JOB, "model": {"name": "mlp", "hidden": [64, 128]}}  # 36 kB of weights, twice as much for adam
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        with pytest.raises(StorageFull, match="no room for more") as raised:
            bench.attempt(job)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    assert (type(raised.value.__cause__) is SafetensorError) == (file == "safetensors")
    assert [path for path in bench.root.rglob("*") if path.is_file()] == []


def test_weights_that_find_no_room_at_the_end_are_a_full_disk(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(weights, "write_weights", full)
    with pytest.raises(StorageFull):
        bench.attempt({**JOB, "checkpoints": {"every_s": None}})


def test_another_error_of_the_disk_is_not_taken_for_a_full_one(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(checkpoints, "save_file", broken)
    with pytest.raises(OSError, match="Input/output"):
        bench.attempt(JOB)


@pytest.mark.parametrize("fact", ["torch", "threads", "processor", "data"])
def test_elsewhere_a_run_goes_on_and_says_why_its_bits_may_differ(
    bench: Bench, first: Attempt, monkeypatch: pytest.MonkeyPatch, fact: str
) -> None:
    here = fingerprint.fingerprint

    def elsewhere(run: Any) -> dict[str, Any]:
        return {**here(run), fact: "another"}

    with monkeypatch.context() as patch:
        patch.setattr("core.loop.resuming.fingerprint", elsewhere)
        patch.setattr("core.loop.checkpoints.fingerprint", elsewhere)
        moved = bench.attempt(JOB, first.checkpoints[0])
    assert moved.resumed
    why = moved.resumed.inexact
    assert why
    was = torch.load(f"{first.checkpoints[0].path}/state.pt", weights_only=True)["fingerprint"][fact]
    assert f"{fact} another instead of {was}" in why
    assert why.count(".") - str(was).count(".") == 1
    card = json.loads((moved.folder / "model.json").read_text())
    assert (card["bit_exact"], card["bit_exact_reason"]) == (False, why)
    back = bench.attempt(JOB, moved.checkpoints[2])
    assert back.resumed
    assert back.resumed.inexact == why, "once inexact, a run stays so"


def test_a_run_that_never_moved_is_exact(bench: Bench, first: Attempt) -> None:
    for told in (first, bench.attempt(JOB, first.checkpoints[2])):
        card = json.loads((told.folder / "model.json").read_text())
        assert (card["bit_exact"], card["bit_exact_reason"]) == (True, None)


def test_a_difference_names_everything_that_differs() -> None:
    then: fingerprint.Fingerprint = {"torch": "2.12.0", "threads": 1, "data": "a"}
    now: fingerprint.Fingerprint = {"torch": "2.13.0", "threads": 2, "data": "a"}
    told = fingerprint.difference(then, now)
    assert told
    assert "torch 2.13.0 instead of 2.12.0 and threads 2 instead of 1" in told
    assert fingerprint.difference(now, now) is None


def test_other_data_have_another_digest(bench: Bench) -> None:
    prints = []
    for seed in (0, 1):
        told = bench.attempt({**JOB, "split": {"seed": seed}, "epochs": 1})
        prints.append(torch.load(f"{told.checkpoints[0].path}/state.pt", weights_only=True)["fingerprint"])
    assert prints[0]["data"] != prints[1]["data"]
    assert {**prints[0], "data": ""} == {**prints[1], "data": ""}


def test_nothing_is_hashed_or_looked_up_before_the_first_checkpoint(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "fingerprint", lambda _: pytest.fail("too early"))
    assert bench.attempt({**JOB, "checkpoints": {"every_s": None}}).rows
