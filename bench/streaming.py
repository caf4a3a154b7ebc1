"""An epoch over 200,000 x 64 in Parquet, mlp [64], batch 256, one thread: streamed, in memory, a plain DataLoader."""

from __future__ import annotations

import hashlib
import statistics
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits
from torch.utils.data import DataLoader, IterableDataset

from core.dataset import Dataset
from core.events import EpochDone
from core.intake import Limits
from core.intake.inspection import inspect
from core.loop import train
from core.loop.preparation import settle
from core.spec import JobSpec, parse_spec

ROUNDS = 3
ROWS, COLUMNS, GROUP = 200_000, 64, 50_000
LINE = 1.5


def main() -> None:
    settle()
    with tempfile.TemporaryDirectory() as folder:
        path, streamed, whole = _specs(Path(folder))
        rounds = [
            (ours, memory, plain_s(path))
            for ours, memory in zip(_epochs_s(streamed, path.parent), _epochs_s(whole, path.parent), strict=True)
        ]
    ours, memory, plain = (ROWS / statistics.median(times) for times in zip(*rounds, strict=True))
    print(f"streamed                               {ours:10,.0f} samples/s")
    print(f"in memory                              {memory:10,.0f} samples/s  {memory / ours:.2f} x streamed")
    told = f"streamed is {ours / plain:.2f} x (line {LINE})"
    print(f"plain DataLoader over the same Parquet {plain:10,.0f} samples/s  {told}")
    if ours / plain < LINE:
        raise SystemExit(f"Streaming is only {ours / plain:.2f} x as fast as a plain DataLoader; {LINE} is the line.")


def _specs(folder: Path) -> tuple[Path, JobSpec, JobSpec]:
    draft = folder / "table.parquet"
    numbers = np.random.default_rng(0).normal(size=(ROWS, COLUMNS)).astype(np.float32)
    frame = pl.DataFrame({f"x{place}": numbers[:, place] for place in range(COLUMNS)})
    frame.with_columns(y=pl.col("x0") > 0).write_parquet(draft, row_group_size=GROUP)
    sha256 = hashlib.sha256(draft.read_bytes()).hexdigest()
    path = draft.rename(folder / sha256)
    profile = inspect(path, "table.parquet", Limits())
    found = Dataset("ds_bench", sha256, path.stat().st_size, "table.parquet", profile, datetime.now(UTC))
    fields = {
        "dataset": {"name": "upload", "id": found.id, "target": "y"},
        "split": {"validation": 0},
        "model": {"name": "mlp", "hidden": [64]},
        "batch_size": 256,
        "epochs": ROUNDS,
    }
    streamed, whole = (
        parse_spec(fields | {"loader": {"streaming": wanted}}, {found.id: found}.get) for wanted in (True, False)
    )
    return path, streamed, whole


def _epochs_s(spec: JobSpec, datasets: Path) -> Iterator[float]:
    """The epochs, one at a time: between two of them the others are measured, so that all share a busy machine."""
    with tempfile.TemporaryDirectory() as folder:
        for event in train(spec, folder=Path(folder), datasets=datasets):
            if isinstance(event, EpochDone):
                yield event.row.epoch_s


class _Rows(IterableDataset[tuple[Tensor, Tensor]]):
    """Row group by row group, each shuffled, as the tutorials have it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        table = pl.scan_parquet(self.path)
        for start in torch.randperm(ROWS // GROUP).tolist():
            group = table.slice(start * GROUP, GROUP).collect()
            x, y = group.drop("y").to_torch(dtype=pl.Float32), group["y"].cast(pl.Float32).to_torch()
            for row in torch.randperm(len(x)).tolist():
                yield x[row], y[row]


def plain_s(path: Path) -> float:
    """An epoch written by hand over a DataLoader in this process."""
    model = nn.Sequential(nn.Linear(COLUMNS, 64), nn.ReLU(), nn.Linear(64, 1))
    optimizer = torch.optim.Adam(model.parameters())
    began = time.perf_counter()
    for x, y in DataLoader(_Rows(path), batch_size=256):
        optimizer.zero_grad()
        loss = binary_cross_entropy_with_logits(model(x).squeeze(1), y)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
