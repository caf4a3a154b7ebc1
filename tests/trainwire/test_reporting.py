"""`trainwire report`: the table of a report, and pictures into files."""

from __future__ import annotations

from typing import Any

from rich.console import Console

from api.examples import REPORTED
from core.views import ReportView
from trainwire.reports import report_page


def printed(told: dict[str, Any]) -> str:
    console = Console(width=120, record=True, quiet=False, file=None)
    with console.capture() as captured:
        console.print(report_page(ReportView.model_validate(told)))
    return captured.get()


def test_classes_are_shown_as_their_confusion_matrix() -> None:
    lines = printed(REPORTED).splitlines()
    assert lines[0] == "test part, 150 samples, epoch 40: loss 0.3100  accuracy 0.9200"
    assert [line.split() for line in lines[2:4]] == [["fern", "69", "5"], ["rose", "7", "69"]]
    assert lines[-1].strip() == "worst rows: 411"


def test_many_classes_are_shown_as_what_is_taken_for_what() -> None:
    names = [f"c{place}" for place in range(30)]
    matrix = {"names": names, "counts": [[0] * 30] * 30}
    text = printed({**REPORTED, "classes": {**REPORTED["classes"], "confusion": matrix}})
    assert [line.split() for line in text.splitlines()[2:4]] == [["rose", "fern", "7"], ["fern", "rose", "5"]]
