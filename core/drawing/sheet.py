"""The sheet that every picture is drawn on: its size, its letters, its colours, and its bytes."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from core.drawing import bars, grids, lines

_STYLE: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 11,
    "text.parse_math": False,  # a class may be called $a$
    "axes.titlesize": 13,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 12,
    "axes.labelcolor": "#333333",
    "axes.edgecolor": "#999999",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "text.color": "#1a1a1a",
    "xtick.color": "#333333",
    "ytick.color": "#333333",
    "legend.frameon": False,
    "svg.hashsalt": "trainwire",
}
_DPI = 150
_DRAWN: Mapping[str, Callable[[Axes, Mapping[str, Any]], None]] = {
    "confusion": grids.confusion,
    "calibration": lines.calibration,
    "roc": lines.roc,
    "precision_recall": lines.precision_recall,
    "positions": lines.positions,
    "scatter": grids.scatter,
    "residuals": bars.residuals,
    "targets": lines.targets,
    "f1": bars.f1,
    "features": bars.features,
    "errors": bars.errors,
}


def saved(report: Mapping[str, Any], *, figure: str, format: str) -> bytes:  # noqa: A002
    """The picture as bytes, without a date in it."""
    with mpl.rc_context(_STYLE):
        sheet = Figure(figsize=_size(report, figure), layout="constrained")
        FigureCanvasAgg(sheet)
        section = report[report["kind"]]
        _DRAWN[figure](sheet.add_subplot(), section)
        sheet.text(0.995, 0.005, _told(report), ha="right", va="bottom", fontsize=8, color="#777777")
        sheet.get_layout_engine().set(rect=(0, 0.035, 1, 0.965))  # type: ignore[union-attr, call-arg]
        out = io.BytesIO()
        metadata = {"Date": None} if format == "svg" else {"Software": None}
        sheet.savefig(out, format=format, dpi=_DPI, facecolor="white", metadata=metadata)
        return out.getvalue()


def _size(report: Mapping[str, Any], figure: str) -> tuple[float, float]:
    """Inches: a matrix, and rows with names, grow with what they hold."""
    section = report[report["kind"]]
    if figure == "confusion":
        many = len(section["confusion"]["names"])
        side = 4.2 + (0.36 if many <= grids.MANY else 0.17) * many
        return max(5.6, side), max(5.2, side - 0.4)
    if figure in ("f1", "features"):
        rows = len(section["each"] if figure == "f1" else section["features"])
        return 7.0, 2.0 + 0.26 * max(4, min(bars.MOST, rows))
    return (6.2, 6.0) if figure in ("calibration", "roc", "precision_recall") else (7.0, 5.2)


def _told(report: Mapping[str, Any]) -> str:
    """What the picture rests on."""
    by = f", epoch {report['epoch']}" if report.get("epoch") else ""
    return f"{report['part']} part, {report['samples']:,} samples{by}"
