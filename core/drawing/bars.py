"""Pictures of how much there is of each: bars by name, and histograms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes

from core.drawing.grids import BLUE, GREY, RED, figures, short

MOST = 30
"""Rows of a picture: of more names those that stand worst."""
LETTERS = 28
"""Of a name: there is more room for it than beside a grid."""


def f1(axes: Axes, section: Mapping[str, Any]) -> None:
    """The f1 of each class or label, with how many samples it has; the lowest first, where there are many."""
    each = section["each"]
    if len(each) > MOST:
        each = sorted(each, key=lambda one: one["f1"])[:MOST]
    _rows(axes, [f"{short(one['name'], LETTERS)}  ({one['support']:,})" for one in each], [one["f1"] for one in each])
    axes.set_xlim(0, 1.08)
    axes.set_xlabel("f1; samples in brackets")
    macro = section["macro"]["f1"]
    axes.axvline(macro, color=GREY, linestyle="--", linewidth=1.2)
    axes.set_title(f"How well each is told: mean f1 {macro:.4g}")


def features(axes: Axes, section: Mapping[str, Any]) -> None:
    """The features that come back the worst."""
    worst = section["features"][:MOST]
    _rows(axes, [short(one["name"], LETTERS) for one in worst], [one["rmse"] for one in worst])
    axes.set_xlabel("root mean square error (scaled)")
    axes.set_title(f"What comes back the worst: rmse {section['rmse']:.4g} in all")


def residuals(axes: Axes, section: Mapping[str, Any]) -> None:
    """How often the first target was missed by how much."""
    first = section["each"][0]
    _histogram(axes, first["histogram"])
    axes.axvline(0, color=GREY, linewidth=1.2, linestyle="--")
    if first["mean_residual"] is not None:
        axes.axvline(first["mean_residual"], color=RED, linewidth=1.5, label=f"mean {first['mean_residual']:.4g}")
        axes.legend(loc="upper right")
    axes.set_xlabel(f"predicted minus true {short(first['name'], LETTERS)}")
    axes.set_title(f"Residuals: {figures(first, 'mae', 'rmse')}")


def errors(axes: Axes, section: Mapping[str, Any]) -> None:
    """How often a sample came back with which error."""
    _histogram(axes, section["histogram"])
    axes.set_xlabel("root mean square error of a sample (scaled)")
    axes.set_title(f"How well samples come back: rmse {section['rmse']:.4g}")


def _rows(axes: Axes, names: Sequence[str], values: Sequence[float | None]) -> None:
    """A bar for each name, from the top, with its value behind it."""
    shown = [value or 0.0 for value in values]
    places = range(len(shown))
    found = axes.barh(places, shown, color=BLUE, height=0.72)
    axes.bar_label(found, labels=[f"{value:.3g}" for value in shown], padding=4, fontsize=9, color="#333333")
    axes.set_yticks(places, names, fontsize=9)
    axes.invert_yaxis()
    axes.margins(x=0.12, y=0.02)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color="#e6e6e6")


def _histogram(axes: Axes, told: Mapping[str, Any]) -> None:
    axes.stairs(told["counts"], told["edges"], fill=True, color=BLUE, alpha=0.85)
    axes.set_ylabel("samples")
    axes.grid(axis="y", color="#e6e6e6")
