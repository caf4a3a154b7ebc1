"""Pictures of how one figure goes with another: curves, calibration, places in a window, steps of a forecast."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matplotlib.axes import Axes

from core.drawing.grids import BLUE, GREY, figures


def calibration(axes: Axes, section: Mapping[str, Any]) -> None:
    """The accuracy of the predictions of each share; the larger a point, the more samples it stands for."""
    told = section["calibration"]
    bins = [one for one in told["bins"] if one["count"] and None not in (one["share"], one["accuracy"])]
    most = max((one["count"] for one in bins), default=1)
    axes.plot([0, 1], [0, 1], color=GREY, linestyle="--", linewidth=1.2, label="as sure as it is right")
    axes.plot([one["share"] for one in bins], [one["accuracy"] for one in bins], color=BLUE, linewidth=1.2)
    axes.scatter(
        [one["share"] for one in bins],
        [one["accuracy"] for one in bins],
        s=[25 + 175 * one["count"] / most for one in bins],
        color=BLUE,
        alpha=0.85,
        linewidths=0,
        zorder=3,
    )
    _unit(axes, "share of the predicted class", "accuracy")
    axes.legend(loc="lower right")
    axes.set_title(f"Calibration: {figures(told, 'expected_error', 'brier')}")


def roc(axes: Axes, section: Mapping[str, Any]) -> None:
    """The true positive rate against the false positive rate."""
    told = section["roc"]
    axes.plot([0, 1], [0, 1], color=GREY, linestyle="--", linewidth=1.2, label="by chance")
    axes.plot(told["false_positive_rate"], told["true_positive_rate"], color=BLUE, linewidth=2)
    _unit(axes, "false positive rate", "true positive rate")
    axes.legend(loc="lower right")
    axes.set_title(f"ROC: area {told['area']:.4g}")


def precision_recall(axes: Axes, section: Mapping[str, Any]) -> None:
    """Precision against recall."""
    told, best = section["precision_recall"], section["precision_recall"]["best"]
    axes.plot(told["recall"], told["precision"], color=BLUE, linewidth=2)
    _unit(axes, "recall", "precision")
    axes.set_title(f"Precision and recall: area {told['area']:.4g}")
    axes.text(0.02, 0.03, f"best f1 {best['f1']:.4g} at {best['threshold']:.4g}", transform=axes.transAxes, fontsize=10)


def positions(axes: Axes, section: Mapping[str, Any]) -> None:
    """The mean loss of a token by its place in the window."""
    known = [one for one in section["by_position"] if one["loss"] is not None]
    middles = [(one["first"] + one["last"]) / 2 for one in known]
    axes.plot(middles, [one["loss"] for one in known], color=BLUE, linewidth=2, marker="o", markersize=3)
    axes.set_xlabel("place in the window")
    axes.set_ylabel("loss (nats a token)")
    axes.grid(color="#e6e6e6")
    axes.set_title(f"Loss by position: {figures(section, 'perplexity', 'bits_per_byte')}")


def targets(axes: Axes, section: Mapping[str, Any]) -> None:
    """RMSE and MAE of each target, or of each step of a forecast."""
    each = section["each"]
    places = range(len(each))
    axes.plot(places, [one["rmse"] for one in each], color=BLUE, linewidth=2, marker="o", markersize=4, label="rmse")
    axes.plot(places, [one["mae"] for one in each], color=GREY, linewidth=2, marker="o", markersize=4, label="mae")
    step = -(-len(each) // 12)
    axes.set_xticks(places[::step], [one["name"][:14] for one in each][::step], rotation=30, ha="right", fontsize=9)
    axes.set_ylim(bottom=0)
    axes.set_ylabel("error, in the target's unit")
    axes.grid(color="#e6e6e6")
    axes.legend()
    axes.set_title("Error of each target")


def _unit(axes: Axes, x: str, y: str) -> None:
    """Both axes from 0 to 1, as long as each other."""
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), xlabel=x, ylabel=y, aspect="equal")
    axes.grid(color="#e6e6e6")
