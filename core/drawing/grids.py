"""Pictures of pairs: what was predicted against what is true."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes

BLUE, RED, GREY = "#2463a8", "#c0392b", "#8a8a8a"
MANY = 20
"""Classes above which cells are too small for numbers."""


def confusion(axes: Axes, section: Mapping[str, Any]) -> None:
    """Each true class a row, coloured by its share; the counts stand in the cells as long as there is room."""
    names, counts = section["confusion"]["names"], np.array(section["confusion"]["counts"])
    shares = counts / np.maximum(1, counts.sum(axis=1, keepdims=True))
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    many = len(names) > MANY
    places, labels = range(len(names)), [short(name) for name in names]
    turned = many or max(map(len, labels)) > 4 or len(names) > 12
    size, side = 8 if many else 10, "right" if turned else "center"
    axes.set_xticks(places, labels, rotation=60 if turned else 0, ha=side, fontsize=size)
    for label in axes.get_xticklabels():
        label.set_rotation_mode("anchor" if turned else "default")
    axes.set_yticks(places, labels, fontsize=size)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    axes.set_title(f"What is taken for what: accuracy {section['accuracy']:.4g}")
    for row, column in () if many else np.argwhere(counts).tolist():
        colour = "white" if shares[row, column] > 0.55 else "#1a1a1a"
        axes.text(column, row, f"{counts[row, column]:,}", ha="center", va="center", color=colour, fontsize=9)


def scatter(axes: Axes, section: Mapping[str, Any]) -> None:
    """The points of the first target, and the line on which a prediction is right."""
    first = section["each"][0]
    points = first["scatter"]
    pairs = [(x, y) for x, y in zip(points["true"], points["predicted"], strict=True) if None not in (x, y)]
    true, predicted = zip(*pairs, strict=True) if pairs else ((), ())
    axes.scatter(true, predicted, s=16, color=BLUE, alpha=0.55, linewidths=0)
    if pairs:
        low, high = min(*true, *predicted), max(*true, *predicted)
        axes.plot([low, high], [low, high], color=GREY, linewidth=1.2, linestyle="--", label="exact")
        axes.legend(loc="upper left")
    axes.set_xlabel(f"true {short(first['name'])}")
    axes.set_ylabel(f"predicted {short(first['name'])}")
    axes.grid(color="#e6e6e6")
    axes.set_title(f"Predicted against true: {figures(first, 'r2', 'mae', 'rmse')}")


def figures(told: Mapping[str, Any], *names: str) -> str:
    """Figures in a few digits."""
    return ", ".join(f"{name} {told[name]:.4g}" for name in names if told.get(name) is not None)


def short(name: str, most: int = 18) -> str:
    """The name, or as much of a long one as there is room for."""
    return name if len(name) <= most else f"{name[: most - 1]}…"
