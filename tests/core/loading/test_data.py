"""From a spec to tensors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from core.data import Arrays
from core.errors import InvalidData
from core.loading import data
from core.spec import parse_spec


def made(cache: Path, **fields: Any) -> data.Data:
    return data.make(parse_spec({"model": "linear", **fields}), cache=cache)


def test_the_split_has_the_sizes_the_spec_says(cache: Path) -> None:
    digits = made(cache, dataset="digits")
    assert digits.held is not None
    assert (len(digits.train.x), len(digits.held.x)) == (1437, 360)
    assert torch.bincount(digits.held.y).tolist() == [36, 37, 35, 37, 36, 36, 36, 36, 35, 36]


def test_the_statistics_come_from_the_training_part_alone(cache: Path) -> None:
    wine = made(cache, dataset="wine")
    assert wine.held is not None
    assert wine.train.x.mean(0).abs().max() < 1e-5
    assert wine.held.x.mean(0).abs().max() > 1e-2


def test_a_dead_pixel_becomes_0_for_a_table_and_keeps_its_place_for_images(cache: Path) -> None:
    table, images = (
        made(cache, dataset="digits", model=model, preprocess={"features": "minmax"}) for model in ("mlp", "cnn")
    )
    assert table.columns.features.shift.shape == (64,)
    assert images.columns.features.shift.shape == (1,)
    assert torch.equal(images.train.x, images.train.x.clamp(0, 1))
    assert torch.unique(images.train.x).numel() == 17


def test_a_target_of_numbers_is_scaled_only_when_asked(cache: Path) -> None:
    raw, scaled = (
        made(cache, dataset="diabetes", preprocess={"target": target}).train.y for target in ("none", "standard")
    )
    assert raw.mean() > 100
    assert abs(scaled.mean()) < 1e-5
    assert scaled.std(correction=0) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        (Arrays(np.zeros((150, 3), np.float32), np.zeros(150, np.int64)), "not"),
        (Arrays(np.full((150, 4), np.nan, np.float32), np.zeros(150, np.int64)), "NaN"),
        (Arrays(np.zeros((150, 4), np.float32), np.full(150, 3)), "labels outside 0 to 2"),
    ],
    ids=["shape", "nan", "labels"],
)
def test_data_that_breaks_its_promise_is_refused(monkeypatch: pytest.MonkeyPatch, arrays: Arrays, words: str) -> None:
    monkeypatch.setattr(data, "load", lambda *_, **__: arrays)
    with pytest.raises(InvalidData, match=words):
        data.make(parse_spec({"dataset": "iris", "model": "linear", "split": {"stratify": False}}), cache=None)
