"""How many classes a target may have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from core.checks import Finding, shown

MOST_CLASSES = 1_000


def class_findings(classes: int, *, task: str, path: tuple[str, ...], value: Any) -> Iterator[Finding]:
    """What is wrong with so many classes; at `path` stands the `value` that has them."""
    if classes < 2:
        told = "There is one class only, so there is nothing to tell apart."
        yield Finding(path, value, told, {"classes": ">= 2"})
    elif classes > MOST_CLASSES:
        told = f"There are {classes:,} classes; at most {MOST_CLASSES:,} are allowed."
        yield Finding(path, value, told, {"classes": f"<= {MOST_CLASSES}"})
    elif task == "binary" and classes != 2:
        yield Finding(("task",), task, f"{shown(task)} is for two classes; there are {classes}.", ["auto", "classes"])
