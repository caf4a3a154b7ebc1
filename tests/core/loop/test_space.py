"""A disk that is full, or fills up while a checkpoint is written."""

from __future__ import annotations

import errno
import resource
import shutil
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from safetensors import SafetensorError

from core.errors import StorageFull
from core.job import Reason
from core.loop import checkpoints, space, weights
from core.loop.failures import explain
from tests.core.loop.interrupting import Bench

JOB: dict[str, Any] = {
    "dataset": "iris",
    "model": {"name": "mlp", "hidden": [8], "dropout": 0.1},
    "batch_size": 40,
    "epochs": 3,
    "early_stopping": {"patience": 50},
    "checkpoints": {"every_s": 0},
}


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
