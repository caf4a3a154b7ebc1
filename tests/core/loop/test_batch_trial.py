"""A batch size found by trying, within the memory there is."""

from __future__ import annotations

import gc
import resource
from typing import Any

import pytest
import torch

from core.loop import batch_trial
from core.loop.batch_trial import largest_batch
from core.loop.failures import is_out_of_memory
from core.loop.room import room, within
from core.loop.run import Run
from core.spec import JobSpec, parse_spec

CPU = torch.device("cpu")


def _spec(**fields: Any) -> JobSpec:
    return parse_spec({"dataset": {"name": "blobs", "samples": 1_000}, "model": "mlp", "batch_size": "auto", **fields})


class Fake:
    """Makes runs that fit up to `most` samples, and notes which were tried."""

    def __init__(self, most: int, monkeypatch: pytest.MonkeyPatch, *, free: int | None = None) -> None:
        self.most, self.tried = most, list[int]()
        monkeypatch.setattr(batch_trial, "room", lambda: free)
        monkeypatch.setattr(batch_trial, "_try", lambda _: None)
        monkeypatch.setattr(gc, "collect", lambda: None)  # half a second, among all that a test session holds

    def __call__(self, size: int) -> Run:
        self.tried.append(size)
        if size > self.most:
            raise MemoryError
        return None  # type: ignore[return-value]


@pytest.mark.parametrize(("most", "size"), [(1_000, 128), (127, 64), (2, 2), (1, 1)])
def test_a_batch_is_the_largest_power_of_two_that_fits_in_a_fifth(
    most: int, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert largest_batch(_spec(), Fake(most, monkeypatch), CPU) == size


def test_with_room_enough_one_trial_suffices(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = Fake(1_000, monkeypatch)
    largest_batch(_spec(), fake, CPU)
    assert fake.tried == [128]


@pytest.mark.parametrize("free", [0, 30_000])
def test_where_arithmetic_promises_little_it_grows_as_long_as_it_fits(
    free: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = Fake(40, monkeypatch, free=free)
    assert largest_batch(_spec(), fake, CPU) == 32
    assert fake.tried[0] < 32
    assert fake.tried == sorted(fake.tried)


def test_where_not_even_one_sample_fits_the_error_is_the_allocators(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MemoryError):
        largest_batch(_spec(), Fake(0, monkeypatch), CPU)


def test_few_samples_train_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = _spec(dataset={"name": "blobs", "samples": 4, "classes": 2}, split={"validation": 0})
    assert largest_batch(spec, Fake(9, monkeypatch), CPU) == 1


def test_a_trial_cannot_take_more_memory_than_it_was_given() -> None:
    before = resource.getrlimit(resource.RLIMIT_DATA)
    free = room()
    assert free is not None
    assert free > 0
    with within(100_000_000), pytest.raises(RuntimeError) as caught:  # noqa: PT012
        torch.ones(1_000_000)
        torch.ones(100_000_000)
    assert is_out_of_memory(caught.value)
    assert resource.getrlimit(resource.RLIMIT_DATA) == before
    torch.ones(30_000_000)
