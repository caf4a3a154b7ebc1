"""Curves for TensorBoard, read again by TensorBoard's own reader."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from core.exporting.apart import Limits, Task, make
from core.shelf import Folders


def read(rows: list[tuple[float, dict[str, Any]]], folder: Path) -> EventAccumulator:
    curves = {"spec": {"model": {"name": "mlp"}}, "rows": rows}
    make(Task("tensorboard", folder, Folders(folder), curves), folder / "events.out.tfevents.x", limits=Limits())
    assert [path.name for path in folder.iterdir()] == ["events.out.tfevents.x"]
    found = EventAccumulator(str(folder))
    found.Reload()
    return found


def test_each_figure_is_a_scalar_at_its_epoch_and_time_and_nan_stays(tmp_path: Path) -> None:
    rows: list[tuple[float, dict[str, Any]]] = [
        (1_000.0, {"epoch": 1, "train_loss": 0.5, "val_accuracy": 0.25, "lr": 0.125}),
        (
            1_002.5,
            {"epoch": 2, "train_loss": None, "val_accuracy": 0.75, "lr": 0.125, "nonfinite": {"train_loss": "nan"}},
        ),
    ]
    found = read(rows, tmp_path)
    assert found.Tags()["scalars"] == ["train_loss", "val_accuracy", "lr"]
    accuracy = [(one.wall_time, one.step, one.value) for one in found.Scalars("val_accuracy")]
    assert accuracy == [(1_000.0, 1, 0.25), (1_002.5, 2, 0.75)]
    assert math.isnan(found.Scalars("train_loss")[1].value)
    assert b'"name": "mlp"' in found.Tensors("spec/text_summary")[0].tensor_proto.string_val[0]


def test_each_of_several_folds_is_a_curve_of_its_own(tmp_path: Path) -> None:
    found = read([(float(epoch), {"epoch": epoch, "fold": epoch, "lr": 0.5}) for epoch in (1, 2)], tmp_path)
    assert found.Tags()["scalars"] == ["lr/fold 1", "lr/fold 2"]
