"""An epoch of 50,000 x 64 through mlp [64], batch 64, adam, one thread: ours, a plain DataLoader loop, a floor."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, TensorDataset

from core.events import EpochDone
from core.loading import data
from core.loop import train
from core.loop.preparation import settle
from core.spec import parse_spec

LINE = 1.5
ROUNDS = 7
SPEC = parse_spec(
    {
        "dataset": {"name": "blobs", "samples": 50_000, "features": 64, "classes": 10},
        "split": {"validation": 0},
        "model": {"name": "mlp", "hidden": [64]},
        "optimizer": "adam",
        "batch_size": 64,
        "epochs": ROUNDS,
    }
)
Batches = Iterable[tuple[Tensor, Tensor]]


def main() -> None:
    settle()
    made = data.make(SPEC, cache=None).train
    x, y = made.x, made.y
    plain = DataLoader(TensorDataset(x, y), batch_size=64, shuffle=True)
    still = [(x[:64], y[:64])] * len(plain)
    rounds = [
        (ours, by_hand_s(plain, fused=False), by_hand_s(plain, fused=True), by_hand_s(still, fused=True))
        for ours in ours_s()
    ]
    ours, peer, tuned, floor = (statistics.median(times) for times in zip(*rounds, strict=True))
    print(f"ours                                        {1000 * ours:7.1f} ms")
    print(f"plain DataLoader loop, as tutorials have it {1000 * peer:7.1f} ms  {peer / ours:.2f} x ours (line {LINE})")
    print(f"the same, with a fused adam and no .item()  {1000 * tuned:7.1f} ms  {tuned / ours:.2f} x ours")
    print(f"floor: the steps alone, on one fixed batch  {1000 * floor:7.1f} ms  {floor / ours:.2f} x ours")
    if peer / ours < LINE:
        raise SystemExit(
            f"An epoch is only {peer / ours:.2f} x faster than a plain DataLoader loop; {LINE} is the line."
        )


def ours_s() -> Iterator[float]:
    """Our epochs, one at a time: between two of them the others are measured, so that all share a busy machine."""
    with tempfile.TemporaryDirectory() as folder:
        for event in train(SPEC, folder=Path(folder)):
            if isinstance(event, EpochDone):
                yield event.row.epoch_s


def by_hand_s(batches: Batches, *, fused: bool) -> float:
    """An epoch written by hand; `fused` also leaves out the reading of each loss."""
    model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    optimizer = torch.optim.Adam(model.parameters(), fused=fused or None)
    read: Callable[[Tensor], object] = Tensor.detach if fused else Tensor.item
    began = time.perf_counter()
    for x, y in batches:
        optimizer.zero_grad()
        loss = cross_entropy(model(x), y)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        read(loss)
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
