"""A series as a run reads it: rows in the order of time, each sample a window of them and what came behind it."""

from __future__ import annotations

import builtins
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core import groups
from core.dataset import Facts, Series
from core.encoding import Reading
from core.errors import InvalidData
from core.loading import encoding, preprocess
from core.loading.encoding import Encoder
from core.loading.preprocess import Scaling
from core.loading.samples import Samples
from core.loading.table import Table
from core.loading.windowed import Windowed
from core.series import spans
from core.spec import JobSpec

Places = NDArray[np.intp]

AT_ONCE = 1 << 24
"""Numbers of windows that are predicted at a time: a small model asks for more of them than memory may hold."""


@dataclass(frozen=True)
class SeriesWindows(Windowed):
    """Windows over rows that lie in memory once, in order; a batch is gathered when it is asked for."""

    rows: Tensor
    """What is seen of each row: float32 `(channels, rows)`, scaled."""
    targets: Tensor
    """What is forecast of each row: float32 `(rows,)`, scaled."""
    starts: Tensor
    """Where each window begins: int64 `(windows,)`."""
    window: int
    horizon: int

    @property
    def y(self) -> Tensor:
        """All that is forecast, at once."""
        ahead = torch.arange(self.window, self.window + self.horizon, device=self.starts.device)
        return self.targets[self.starts[:, None] + ahead]

    @property
    def bytes(self) -> int:
        """What the rows take in memory, however often windows show them."""
        return self.rows.nbytes + self.targets.nbytes

    def take(self, rows: Tensor) -> Samples:
        """These windows: x float32 `(rows, channels, window)`, y float32 `(rows, horizon)`."""
        starts = self.starts[rows.to(self.starts.device)][:, None]
        steps = torch.arange(self.window + self.horizon, device=starts.device)
        places = starts + steps
        seen, ahead = places[:, : self.window], places[:, self.window :]
        return Samples(self.rows[:, seen].transpose(0, 1).contiguous(), self.targets[ahead])

    def cut(self, rows: int) -> Iterator[Samples]:
        """All of them in order, `rows` windows at a time, or as many as 64 MiB hold."""
        most = max(1, AT_ONCE // (len(self.rows) * self.window))
        return super().cut(min(rows, most))

    def to(self, device: torch.device, *, non_blocking: bool = False) -> SeriesWindows:
        """The same windows with their rows on `device`."""
        rows, targets, starts = (
            one.to(device, non_blocking=non_blocking) for one in (self.rows, self.targets, self.starts)
        )
        return replace(self, rows=rows, targets=targets, starts=starts)

    def identity(self) -> Iterator[builtins.bytes | memoryview]:
        """The rows, and how they are cut."""
        yield f"{tuple(self.rows.shape)} {self.size} {self.window} {self.horizon}".encode()
        for numbers in (self.rows, self.targets, self.starts):
            yield numbers.cpu().contiguous().numpy().data


@dataclass(frozen=True)
class Made:
    """What the training part gave, and the windows of each part that there is."""

    encoder: Encoder
    features: Scaling
    target: Scaling
    parts: dict[str, SeriesWindows]
    numbers: dict[str, Places]
    """The row of the file, from 1, that each window of a part forecasts first."""


def read(spec: JobSpec, table: Table) -> Made:
    """The windows of a table; encoder and scalings are fitted on the rows that training windows show or forecast.

    Each series is split by itself: its first windows train, its last ones validate and test. Raises InvalidData when
    two rows of a series share a moment, or the series are not as long as they were.
    """
    facts: Facts = spec.dataset.settings()["facts"]
    series: Series = spec.dataset.settings()["series"]
    order, lengths = _ordered(table, series)
    if groups.told(Counter(lengths)) != facts.series:
        raise InvalidData("The series are not as long as when the job was queued.", param="/dataset")
    starts, fitting = _cut(spec, series, lengths)
    readings = {name: Reading.parse(told) for name, told in facts.columns.items()}
    encoder = encoding.fit(table.columns, readings, order[fitting])
    block, goal = encoder(table.columns, order), table.y[order]
    features = preprocess.fit(spec.preprocess.features, block[fitting], only=encoder.scaled)
    target = preprocess.fit(spec.preprocess.target, goal[fitting])
    rows, targets = features(block).T.contiguous(), target(goal).flatten()
    parts = {
        name: SeriesWindows(rows, targets, torch.from_numpy(places), series.window, series.horizon)
        for name, places in starts.items()
        if len(places)
    }
    numbers = {name: order[places + series.window] + 1 for name, places in starts.items()}
    return Made(encoder, features, target, parts, numbers)


def _ordered(table: Table, series: Series) -> tuple[Places, list[int]]:
    """The rows, series by series in the order of time, and how many each series has."""
    times, labels = np.asarray(table.by(series.time), np.float64), table.by(series.group)
    of_row = np.zeros(len(times), np.intp) if labels is None else np.unique(labels, return_inverse=True)[1].reshape(-1)
    if np.isnan(times).any():
        raise InvalidData(f"{int(np.isnan(times).sum())} rows have no {series.time!r}.", param="/dataset/series/time")
    order = np.lexsort((times, of_row))
    same = (np.diff(times[order]) == 0) & (np.diff(of_row[order]) == 0)
    if same.any():
        told = f"{int(same.sum()):,} rows have the {series.time!r} of another row of their series: they have no order."
        hint = "Name the column that tells the series apart as series.group, or leave one row for each moment."
        raise InvalidData(told, hint=hint, param="/dataset/series/time")
    return order, np.bincount(of_row).tolist()


def _cut(spec: JobSpec, series: Series, lengths: list[int]) -> tuple[dict[str, Places], Places]:
    """Where the windows of each part begin among the ordered rows, and which rows training windows reach."""
    reach = series.window + series.horizon - 1
    found: dict[str, list[Places]] = {"train": [], "validation": [], "test": []}
    fitting: list[Places] = []
    ends = np.cumsum(lengths)
    for start, rows in zip(ends - lengths, lengths, strict=True):
        parts = spans(
            rows,
            window=series.window,
            horizon=series.horizon,
            validation=spec.split.validation or 0.0,
            test=spec.split.test or 0.0,
        )
        for name, places in parts.items():
            found[name].append(start + np.arange(places.start, places.stop))
        until = parts["train"].stop + reach if parts["train"] else 0
        fitting.append(start + np.arange(until))
    return {name: np.concatenate(places) for name, places in found.items()}, np.concatenate(fitting)
