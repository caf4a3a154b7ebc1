"""Windowed forecasting from a table: the right windows, nothing from the future, and forecasts that are worth it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from core.errors import InvalidData
from core.events import EpochDone, Finished
from core.loading import data
from core.loop import load_preprocess, train
from core.spec import JobSpec
from tests.core.loop.interrupting import Bench
from tests.core.loop.test_resume import resumes_exactly
from tests.core.uploading import Shelf

STEADY = {"time": "t", "window": 3, "horizon": 2}


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    folder = tmp_path / "datasets"
    folder.mkdir()
    return Shelf(folder)


def csv(*columns: tuple[str, Any], order: Any = None) -> bytes:
    cells = [[str(one) for one in column] for _, column in columns]
    rows = [",".join(row) for row in zip(*cells, strict=True)]
    rows = rows if order is None else [rows[place] for place in order]
    return "\n".join([",".join(name for name, _ in columns), *rows, ""]).encode()


def spec(shelf: Shelf, content: bytes, series: Any = STEADY, **fields: Any) -> JobSpec:
    settings = {"target": "y", "series": series, **fields.pop("dataset", {})}
    return shelf.spec(shelf.put("series.csv", content), settings, **fields)


def made(job: JobSpec, shelf: Shelf) -> data.Data:
    return data.make(job, cache=None, datasets=shelf.folder)


COUNT = np.arange(40)
PLAIN = csv(("t", COUNT), ("y", COUNT * 10), ("x", 40 - COUNT))
RAW = {"preprocess": {"features": "none", "target": "none"}}


def test_samples_are_windows_in_the_order_of_time_whatever_the_order_of_the_file(shelf: Shelf) -> None:
    mixed = csv(("t", COUNT), ("y", COUNT * 10), ("x", 40 - COUNT), order=np.random.default_rng(0).permutation(40))
    found = made(spec(shelf, mixed, **RAW, split={"validation": 0}), shelf).train
    assert found.size == 40 - 3 - 2 + 1
    assert found.x.shape == (36, 2, 3)
    assert found.x[7].tolist() == [[33, 32, 31], [70, 80, 90]]
    assert found.y[7].tolist() == [100, 110]
    some = found.take(torch.tensor([35, 0]))
    assert (some.x.dtype, some.x[0, 1].tolist(), some.y[0].tolist()) == (torch.float32, [350, 360, 370], [380, 390])
    assert torch.equal(torch.cat([part.x for part in found.cut(10)]), found.x)


def test_the_last_windows_are_held_back_and_nothing_is_forecast_in_two_parts(shelf: Shelf) -> None:
    job = spec(shelf, PLAIN, **RAW, split={"validation": 0.25, "test": 0.25})
    found = made(job, shelf)
    assert found.held is not None
    assert found.test is not None
    assert tuple(job.split_sizes) == (found.train.size, found.held.size, found.test.size) == (17, 8, 9)
    days = [set((part.y / 10).flatten().int().tolist()) for part in (found.train, found.held, found.test)]
    assert max(days[0]) < min(days[1])
    assert max(days[1]) < min(days[2])
    assert max(days[2]) == 39


def test_each_group_is_a_series_of_its_own(shelf: Shelf) -> None:
    shop = ["a"] * 10 + ["b"] * 30
    content = csv(("t", [*range(10), *range(30)]), ("y", COUNT), ("shop", shop), order=np.argsort(COUNT * 7 % 40))
    job = spec(shelf, content, {**STEADY, "group": "shop"}, **RAW, split={"validation": 0.2})
    found = made(job, shelf)
    assert found.held is not None
    assert (found.train.x.shape[1], found.train.size, found.held.size) == (1, 3 + 19, 2 + 6)
    windows = torch.cat([found.train.x[:, 0], found.train.y], dim=1)
    assert (windows.diff(dim=1) == 1).all()
    assert not {9, 10} <= set(windows[2].tolist())
    assert found.held.y.max() == 39


def test_the_groups_column_can_be_a_feature_when_it_is_named(shelf: Shelf) -> None:
    shop = ["a", "b"] * 20
    content = csv(("t", COUNT), ("y", COUNT), ("shop", shop))
    job = spec(shelf, content, {**STEADY, "group": "shop"}, dataset={"features": ["shop", "t"]})
    assert made(job, shelf).columns.feature_names == ("t", "shop=a", "shop=b", "shop other", "y")
    assert job.data_shape.features == (5, 3)


def test_shuffling_the_future_changes_nothing_in_training(shelf: Shelf) -> None:
    """Scaling, encoding and windows of the training part are those of a file with another future."""
    rng = np.random.default_rng(1)
    y, x = rng.normal(size=(2, 60))
    job = spec(shelf, csv(("t", range(60)), ("y", y), ("x", x)), split={"validation": 0.3, "test": 0.1})
    first = job.split_sizes.train + 3 + 1  # the first row that no training window reaches
    later = np.r_[np.arange(first), first + rng.permutation(60 - first)]
    times = np.where(later < first, 1, 9)
    content = csv(("t", range(60)), ("y", y[later] * times), ("x", x[later] * times))
    other = spec(shelf, content, split={"validation": 0.3, "test": 0.1})
    one, two = made(job, shelf), made(other, shelf)
    assert torch.equal(one.train.x, two.train.x)
    assert torch.equal(one.train.y, two.train.y)
    assert one.columns.target.statistics() == two.columns.target.statistics()
    assert one.columns.features.statistics() == two.columns.features.statistics()
    assert one.held is not None
    assert two.held is not None
    assert not torch.equal(one.held.y, two.held.y)


def test_two_rows_at_one_moment_are_refused_with_the_remedy(shelf: Shelf) -> None:
    job = spec(shelf, csv(("t", COUNT // 2), ("y", COUNT)))
    with pytest.raises(InvalidData, match="20 rows have the 't' of another row") as told:
        made(job, shelf)
    assert "series.group" in str(told.value.hint)


def sine(rows: int = 600) -> bytes:
    time = np.arange(rows)
    noise = np.random.default_rng(7).normal(0, 0.1, rows)
    return csv(("t", time), ("y", np.sin(time * 2 * np.pi / 25) + 0.002 * time + noise))


@pytest.mark.parametrize("model", ["linear", {"name": "mlp", "hidden": [32]}])
def test_a_noisy_sine_on_a_slope_is_forecast_far_better_than_by_its_last_value(
    model: Any, shelf: Shelf, tmp_path: Path
) -> None:
    job = spec(
        shelf, sine(), {"time": "t", "window": 50, "horizon": 5}, model=model, lr=0.003, epochs=40,
        split={"validation": 0.2, "test": 0.1}, metrics=["r2", "rmse"],
    )  # fmt: skip
    events = list(train(job, folder=tmp_path, datasets=shelf.folder))
    row = [event.row for event in events if isinstance(event, EpochDone)][-1]
    [finished] = [event for event in events if isinstance(event, Finished)]
    held = made(job, shelf).held
    assert held is not None
    undo = load_preprocess(tmp_path).undo
    naive = undo(held.x[:, -1, -1:].expand(-1, 5)) - undo(held.y)
    assert row.metrics["val_r2"] > 0.94, row
    assert row.metrics["val_rmse"] < 0.4 * float((naive**2).mean().sqrt()), (row, naive)
    assert finished.test is not None
    assert finished.test["r2"] > 0.9


def test_new_rows_are_prepared_as_windows(shelf: Shelf, tmp_path: Path) -> None:
    job = spec(shelf, PLAIN, epochs=1)
    for _ in train(job, folder=tmp_path, datasets=shelf.folder):
        pass
    rows = [{"y": 10 * count, "x": 40 - count} for count in range(6)]
    assert torch.equal(load_preprocess(tmp_path)(rows), made(job, shelf).train.x[:4])
    with pytest.raises(ValueError, match="at least 3 rows"):
        load_preprocess(tmp_path)(rows[:2])


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.filterwarnings("ignore:This DataLoader will create")
def test_a_series_goes_on_exactly_from_every_batch(workers: int, shelf: Shelf, bench: Bench) -> None:
    model = {"name": "mlp", "hidden": [8], "dropout": 0.3}
    job = spec(shelf, PLAIN, model=model, batch_size=8, epochs=3, augment=["noise", "mixup"])
    fields = {**job.model_dump(mode="json"), "loader": {"num_workers": workers}}
    whole = bench.attempt(fields, datasets=shelf.folder)
    alone = bench.attempt({**fields, "loader": {"num_workers": 0}}, datasets=shelf.folder)
    assert whole.bits[:-1] == alone.bits[:-1]
    if not workers:
        resumes_exactly(bench, fields, datasets=shelf.folder)
