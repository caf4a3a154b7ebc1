"""The two roads of data."""

import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

from core.loading.batches import Feed, from_workers, in_memory
from core.loading.order import permutation
from core.loading.samples import Samples

CPU = torch.device("cpu")


def samples(count: int, *, features: tuple[int, ...] = (3,)) -> Samples:
    return Samples(torch.randn(count, *features), torch.arange(count))


def same(one: list[Samples], other: list[Samples]) -> bool:
    pairs = zip(one, other, strict=True)
    return all(torch.equal(a.x, b.x) and torch.equal(a.y, b.y) for a, b in pairs)


def plain(data: Samples, order: torch.Tensor, batch_size: int) -> list[Samples]:
    loader = DataLoader(TensorDataset(data.x, data.y), batch_size=batch_size, sampler=order.tolist())
    return [Samples(x, y) for x, y in loader]


def epochs(feed: Feed, count: int) -> list[list[Samples]]:
    return [list(feed(permutation(count, seed=0, epoch=epoch))) for epoch in (1, 2)]


def test_both_roads_give_the_batches_of_a_plain_dataloader_bit_for_bit() -> None:
    data = samples(101)
    fast = epochs(in_memory(data, batch_size=8, device=CPU), 101)
    fetched = epochs(from_workers(data, batch_size=8, device=CPU, workers=2, pin=False), 101)
    for epoch in (1, 2):
        expected = plain(data, permutation(101, seed=0, epoch=epoch), 8)
        assert same(fast[epoch - 1], expected)
        assert same(fetched[epoch - 1], expected)


@pytest.mark.parametrize(("features", "batch_size"), [(7, 10), (4, 16), (400, 32)])
def test_every_batch_begins_where_a_fresh_tensor_does(features: int, batch_size: int) -> None:
    feed = in_memory(samples(3000, features=(features,)), batch_size=batch_size, device=CPU)
    assert all(batch.x.data_ptr() % 64 == 0 for batch in feed(permutation(3000, seed=0, epoch=1)))


@pytest.mark.parametrize(("features", "batch_size"), [(400, 32), (16, 64), (3, 7), (20_000, 16)])
def test_batches_from_one_gather_follow_on_each_other(features: int, batch_size: int) -> None:
    data = samples(300, features=(features,))
    order = permutation(300, seed=0, epoch=1)
    assert same(list(in_memory(data, batch_size=batch_size, device=CPU)(order)), plain(data, order, batch_size))


def test_the_workers_leave_the_global_generator_alone() -> None:
    data, before = samples(20), torch.random.get_rng_state()
    epochs(from_workers(data, batch_size=4, device=CPU, workers=1, pin=False), 20)
    assert torch.equal(torch.random.get_rng_state(), before)
