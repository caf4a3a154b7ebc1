"""Every picture of every kind of report can be drawn, whatever the report holds."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch

pytest.importorskip("matplotlib")

from core import report
from core.drawing import figures_of
from core.drawing.sheet import saved

NAMES = ("a $b$", "<c>", "a very long name of a class that has no end")


def told(kind: str, section: dict[str, Any]) -> dict[str, Any]:
    return {"part": "test", "samples": 60, "epoch": 3, "kind": kind, kind: section}


def reports() -> dict[str, dict[str, Any]]:
    source = torch.Generator().manual_seed(1)
    target = torch.randint(0, 3, (60,), generator=source)
    scores = torch.randn(60, 3, generator=source)
    two = report.of_classes(scores[:, :1], target % 2, ("no", "yes"))[0]
    labels = report.of_labels(scores, (scores > 0.3).float(), NAMES)[0]
    numbers = report.of_numbers(scores, scores + 0.1, ("x +1", "x +2", "x +3"))[0]
    tokens = report.Predicted(4, torch.ones(3), padding=0)
    tokens.see(torch.zeros(2, 4, 3), torch.ones(2, 4, dtype=torch.int64))
    made = report.Reconstructed()
    made.see(scores, scores + 0.2)
    return {
        "classes": told("classes", report.of_classes(scores, target, NAMES)[0]),
        "many": told("classes", report.of_classes(torch.eye(80), torch.arange(80), tuple(map(str, range(80))))[0]),
        "two": told("classes", two),
        "labels": told("labels", labels),
        "numbers": told("numbers", numbers),
        "nothing": told("numbers", report.of_numbers(torch.full((2, 1), torch.nan), torch.zeros(2, 1), ("x",))[0]),
        "tokens": told("tokens", tokens.section()),
        "reconstruction": told("reconstruction", made.section(NAMES)[0]),
    }


@pytest.mark.parametrize("name", reports())
def test_each_picture_is_drawn_and_drawn_alike(name: str) -> None:
    one = reports()[name]
    for figure in figures_of(one):
        drawn = saved(one, figure=figure, format="svg")
        assert drawn.startswith(b"<?xml"), figure
        assert drawn == saved(copy.deepcopy(one), figure=figure, format="svg"), figure


def test_two_classes_have_curves_and_several_targets_a_picture_of_all() -> None:
    found = reports()
    assert figures_of(found["two"]) == ("confusion", "calibration", "f1", "roc", "precision_recall")
    assert figures_of(found["classes"]) == ("confusion", "calibration", "f1")
    assert figures_of(found["numbers"]) == ("scatter", "residuals", "targets")
