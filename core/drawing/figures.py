"""Which pictures there are of a report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_OF_KIND = {
    "classes": ("confusion", "calibration", "f1"),
    "labels": ("f1",),
    "numbers": ("scatter", "residuals"),
    "tokens": ("positions",),
    "reconstruction": ("features", "errors"),
}


def figures_of(report: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of the pictures that this report has, the most telling first."""
    section = report[report["kind"]]
    found = list(_OF_KIND[report["kind"]])
    found += [name for name in ("roc", "precision_recall") if section.get(name)]
    if report["kind"] == "numbers" and len(section["each"]) > 1:
        found.append("targets")
    return tuple(found)
