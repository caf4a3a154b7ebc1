"""An evaluation report in a person's words: its figures, and one small table."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from core.sentences import number, plain, row_text
from core.views import ReportView

_ROWS = 20


def report_page(report: ReportView) -> RenderableType:
    """What is to be known at a glance: figures, the confusion matrix or a line for each target, the worst rows."""
    by = "" if report.epoch is None else f", epoch {report.epoch}"
    head = Text(f"{report.part} part, {number(report.samples)} samples{by}: {row_text(report.figures)}")
    worst = ", ".join(str(one.row) for one in report.worst[:5])
    return Group(head, _section(report), *([Text(f"worst rows: {worst}")] if worst else []))


def _section(report: ReportView) -> RenderableType:
    if report.classes is not None:
        return _classes(report)
    if report.labels is not None:
        rows = [[one.name, *map(_told, (one.precision, one.recall, one.f1, one.support))] for one in report.labels.each]
        return _table(["label", "precision", "recall", "f1", "samples"], rows)
    if report.numbers is not None:
        rows = [[one.name, *map(_told, (one.r2, one.mae, one.rmse, one.mean_residual))] for one in report.numbers.each]
        return _table(["target", "r2", "mae", "rmse", "mean residual"], rows)
    if report.tokens is not None:
        rows = [[f"{one.first} to {one.last}", _told(one.loss)] for one in report.tokens.by_position]
        return _table(["place in the window", "loss"], rows)
    features = report.reconstruction.features if report.reconstruction else []
    return _table(["feature", "rmse"], [[one.name, _told(one.rmse)] for one in features])


def _classes(report: ReportView) -> RenderableType:
    if report.classes is None:
        raise ValueError("a report of something else")
    told, matrix = report.classes, report.classes.confusion
    if len(matrix.names) <= _ROWS:
        rows = [[name, *map(_told, counts)] for name, counts in zip(matrix.names, matrix.counts, strict=True)]
        return _table(["true \\ predicted", *matrix.names], rows)
    rows = [[one.true, one.predicted, _told(one.count)] for one in told.confused]
    return _table(["true", "predicted", "times"], rows)


def _table(names: Sequence[str], rows: Sequence[Sequence[str]]) -> RenderableType:
    table = Table(box=None, pad_edge=False)
    for place, name in enumerate(names):
        table.add_column(escape(plain(name)), justify="right" if place else "left", no_wrap=True)
    for row in rows[:_ROWS]:
        table.add_row(*(escape(plain(cell)) for cell in row))
    left = len(rows) - _ROWS
    return Group(table, *([Text(f"and {left:,} more")] if left > 0 else []))


def _told(value: float | None) -> str:
    return "" if value is None else number(value)
