"""Runs on data that stays in its file: the numbers of one in memory, interrupted or not, whoever reads them."""

from __future__ import annotations

import io
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from core.errors import InvalidData
from core.events import Finished
from core.intake import open_table
from core.loading import data, order, streaming
from core.loading.blocks import from_blocks
from core.loading.order import block_permutation, block_rows
from core.loading.streamed import Streamed
from core.spec import JobSpec
from tests.core.loop.interrupting import Attempt, Bench, pieced
from tests.core.uploading import Shelf

CPU = torch.device("cpu")
ROWS = 2_000


def table() -> pl.DataFrame:
    rng = np.random.default_rng(0)
    return pl.DataFrame(
        {
            "small": rng.normal(size=ROWS).astype(np.float32),
            "large": rng.normal(1e9, 1e7, ROWS),
            "gaps": [None if row % 7 == 0 else row % 11 for row in range(ROWS)],
            "kind": [("a", "b", None)[place] for place in rng.integers(0, 3, ROWS)],
            # the first two thousand days fit the day before the month too
            "day": [f"{1 + row % 12:02}/{1 + row // 80:02}/2024" for row in range(ROWS)],
            "rare": [row == 1_234 for row in range(ROWS)],
        }
    ).with_columns(y=pl.when(pl.int_range(ROWS) % 50 > 0).then(pl.col("small") * 2 + pl.col("gaps").fill_null(3)))


def parquet(frame: pl.DataFrame) -> bytes:
    file = io.BytesIO()
    frame.write_parquet(file, row_group_size=700)
    return file.getvalue()


def pictures() -> bytes:
    file, rng = io.BytesIO(), np.random.default_rng(0)
    with zipfile.ZipFile(file, "w") as archive:
        for number in range(60):
            drawn, label = io.BytesIO(), ("dark", "light")[number % 2]
            bright = rng.integers(0, 200, (8, 8), np.uint8) + 55 * (number % 2)
            Image.fromarray(bright.astype(np.uint8)).save(drawn, "png")
            archive.writestr(f"{label}/{number}.png", drawn.getvalue())
    return file.getvalue()


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 50 samples, so that a small table has several windows; and nothing is kept because it is small."""
    monkeypatch.setattr(order, "BLOCK_BYTES", 50 * 4 * 15)
    monkeypatch.setattr(streaming, "KEPT_BYTES", 0)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    return Shelf(tmp_path_factory.mktemp("datasets"))


def spec(shelf: Shelf, *, streaming: bool = True, **fields: Any) -> JobSpec:
    fields = {"batch_size": 16, "epochs": 2, "model": {"name": "mlp", "hidden": [8], "dropout": 0.2}, **fields}
    fields["loader"] = {"streaming": streaming, **fields.get("loader", {})}
    settings = {"target": "y", "drop_missing_target": True}
    return shelf.spec(shelf.put("t.parquet", parquet(table())), settings, **fields)


def of_pictures(shelf: Shelf, *, streaming: bool = True, **fields: Any) -> JobSpec:
    loader = {"streaming": streaming, **fields.pop("loader", {})}
    usual = {"preprocess": {"features": "minmax"}, "batch_size": 7, "epochs": 2, "model": "cnn"}
    return shelf.spec(shelf.put("p.zip", pictures()), {}, loader=loader, **(usual | fields))


def ran(bench: Bench, shelf: Shelf, spec: JobSpec, *kept: Any) -> Attempt:
    return bench.attempt(spec.model_dump(mode="json"), *kept, datasets=shelf.folder)


def same(one: Attempt, other: Attempt) -> bool:
    """But for the weights' files, which tell their spec."""
    return [row.figures() for row in one.rows] == [row.figures() for row in other.rows]


@pytest.mark.parametrize("features", ["standard", "minmax", "none"])
def test_streamed_numbers_are_bit_for_bit_those_in_memory(shelf: Shelf, features: str) -> None:
    lazy, whole = (
        data.make(spec(shelf, streaming=streamed, preprocess={"features": features}), cache=None, datasets=shelf.folder)
        for streamed in (True, False)
    )
    assert isinstance(lazy.train, Streamed)
    assert isinstance(lazy.held, Streamed)
    assert whole.held is not None
    assert lazy.columns.features.statistics() == whole.columns.features.statistics()
    assert lazy.columns.encoder == whole.columns.encoder
    for one, other in ((lazy.train, whole.train), (lazy.held, whole.held)):
        assert torch.equal(one.x, other.x)
        assert torch.equal(one.y, other.y)
    rows = torch.tensor([700, 3, 3, 1400])
    assert torch.equal(lazy.train.take(rows).x, whole.train.take(rows).x)


def test_without_shuffling_a_streamed_run_has_the_very_figures_of_one_in_memory(bench: Bench, shelf: Shelf) -> None:
    lazy, whole = (
        ran(bench, shelf, spec(shelf, streaming=streamed, loader={"shuffle": False})) for streamed in (True, False)
    )
    assert same(lazy, whole)


def test_pictures_are_shuffled_as_in_memory_so_that_the_figures_are_the_same(bench: Bench, shelf: Shelf) -> None:
    assert same(*(ran(bench, shelf, of_pictures(shelf, streaming=streamed)) for streamed in (True, False)))


@pytest.mark.parametrize("features", ["standard", "per_channel"])
def test_the_scale_of_streamed_pictures_is_that_in_memory_but_for_rounding(shelf: Shelf, features: str) -> None:
    lazy, whole = (
        data.make(
            of_pictures(shelf, streaming=streamed, preprocess={"features": features}),
            cache=None,
            datasets=shelf.folder,
        )
        for streamed in (True, False)
    )
    assert lazy.columns.features.shift == pytest.approx(whole.columns.features.shift, rel=1e-12)
    assert lazy.columns.features.scale == pytest.approx(whole.columns.features.scale, rel=1e-12)
    assert torch.allclose(lazy.train.x, whole.train.x, rtol=1e-6, atol=1e-6)


@pytest.mark.filterwarnings("ignore:This DataLoader will create")
def test_streamed_runs_go_on_exactly_whoever_reads(bench: Bench, shelf: Shelf) -> None:
    plain = ran(bench, shelf, spec(shelf))
    whole = ran(bench, shelf, spec(shelf, checkpoints={"every_s": 0}))
    fetched = spec(shelf, loader={"num_workers": 2})
    assert same(ran(bench, shelf, fetched), plain)
    assert whole.bits == plain.bits
    for kept in whole.checkpoints[10::61]:
        again = ran(bench, shelf, spec(shelf), kept)
        assert again.resumed is not None
        assert again.resumed.inexact is None
        assert pieced(whole, kept, again) == plain.bits
    kept = whole.checkpoints[40]
    assert pieced(whole, kept, ran(bench, shelf, fetched, kept))[:2] == plain.bits[:2]


@pytest.mark.filterwarnings("ignore:This DataLoader will create")
def test_streamed_pictures_go_on_exactly_whoever_decodes(bench: Bench, shelf: Shelf) -> None:
    whole = ran(bench, shelf, of_pictures(shelf, checkpoints={"every_s": 0}))
    assert same(ran(bench, shelf, of_pictures(shelf, loader={"num_workers": 2})), whole)
    again = ran(bench, shelf, of_pictures(shelf), whole.checkpoints[3])
    assert pieced(whole, whole.checkpoints[3], again) == whole.bits


def test_a_block_shuffle_visits_each_sample_once_a_window_at_a_time() -> None:
    first = block_permutation(1_003, block=10, seed=1, epoch=1)
    assert sorted(first.tolist()) == list(range(1_003))
    assert torch.equal(first, block_permutation(1_003, block=10, seed=1, epoch=1))
    assert not torch.equal(first, block_permutation(1_003, block=10, seed=1, epoch=2))
    windows = [set((window // 10).tolist()) for window in torch.split(first, 10 * order.WINDOW)[:12]]
    assert max(map(len, windows)) <= 2 * order.WINDOW
    assert any((window.diff() < 0).any() for window in torch.split(first, 80))


def test_a_block_never_depends_on_more_than_the_shape() -> None:
    assert block_rows((15,)) == 50
    assert block_rows((10**6,)) == 1


class Counting:
    """Features that are the samples' own numbers, and how often each block was read."""

    def __init__(self) -> None:
        self.reads: Counter[int] = Counter()

    def __call__(self, places: NDArray[np.intp]) -> Tensor:
        if len(places) > 1:
            self.reads[int(places[0])] += 1
        return torch.from_numpy(places).float().reshape(-1, 1)


@pytest.mark.parametrize("done", [0, 7, 311])
def test_each_block_is_read_once_an_epoch_and_none_for_what_is_done(done: int) -> None:
    read = Counting()
    samples = Streamed(read, torch.arange(1_003), 10, "")
    feed = from_blocks(samples, batch_size=16, device=CPU, workers=0, pin=False)
    left = block_permutation(1_003, block=10, seed=0, epoch=1)[done:]
    batches = list(feed(left))
    assert torch.equal(torch.cat([batch.y for batch in batches]), left)
    assert torch.equal(torch.cat([batch.x[:, 0] for batch in batches]), left.float())
    assert set(read.reads) == set((left // 10 * 10).tolist())
    assert set(read.reads.values()) == {1}


def broken(places: NDArray[np.intp]) -> Tensor:
    if len(places) > 1:
        raise InvalidData("The file is gone.")
    return torch.zeros(1, 1)


def test_a_file_that_breaks_while_it_is_read_ends_the_run_with_its_reason() -> None:
    feed = from_blocks(Streamed(broken, torch.arange(50), 10, ""), batch_size=4, device=CPU, workers=0, pin=False)
    with pytest.raises(InvalidData, match="The file is gone"):
        next(feed(torch.arange(50)))


def test_rows_that_lie_far_apart_are_read_in_short_pieces(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pl.DataFrame({"x": range(10_000), "y": [None if row % 2 else 1.0 for row in range(10_000)]}).write_parquet(path)
    lazy = open_table(path, {"x": "number", "y": "number"}).drop_nulls(["y"])
    places = np.array([0, 1, 2_000, 2_001, 4_999])
    assert [piece.height for piece in lazy._pieces(2 * places)] == [2, 2, 1]
    assert lazy.rows(places, ["x"])["x"].to_list() == (2.0 * places).tolist()


def test_an_infinite_number_in_a_streamed_table_is_told_with_its_column(shelf: Shelf) -> None:
    path = shelf.folder / spec(shelf).dataset.settings()["facts"].sha256
    content = path.read_bytes()
    frame = table().with_columns(large=pl.when(pl.int_range(ROWS) == 5).then(np.inf).otherwise(pl.col("large")))
    lazy = spec(shelf)
    forged = lazy.dataset.settings()["facts"].model_copy(update={"sha256": _put(shelf, parquet(frame))})
    wrong = lazy.model_copy(update={"dataset": lazy.dataset.model_copy(update={"facts": forged})})
    with pytest.raises(InvalidData, match="column 'large' holds infinite"):
        data.make(wrong, cache=None, datasets=shelf.folder)
    assert path.read_bytes() == content


def _put(shelf: Shelf, content: bytes) -> str:
    import hashlib

    sha256 = hashlib.sha256(content).hexdigest()
    (shelf.folder / sha256).write_bytes(content)
    return sha256


@pytest.mark.parametrize("what", ["table", "pictures"])
def test_how_sharp_a_minimum_is_is_read_from_the_file_too(bench: Bench, shelf: Shelf, what: str) -> None:
    make = spec if what == "table" else of_pictures
    wanted = {"sharpness": {"directions": 2, "samples": 20}, "epochs": 1}
    streamed, there = (ran(bench, shelf, make(shelf, streaming=one, **wanted)) for one in (True, False))
    found = streamed.every(Finished)[0].sharpness
    assert found is not None
    assert found["samples"] == 20
    assert found["mean"] != 0
    if what == "pictures":  # a table is drawn by blocks, and so are the samples
        assert found == there.every(Finished)[0].sharpness
