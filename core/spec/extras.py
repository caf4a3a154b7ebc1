"""What a spec needs beside Trainwire itself: parts whose package an extra brings."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from core.checks import Finding, Path, shown
from core.extras import missing
from core.registry import Registry, datasets, losses, models, optimizers, schedulers, tokenizers
from core.spec.outline import Outline, Unsound

_PARTS: tuple[tuple[Path, Registry], ...] = (
    (("dataset",), datasets),
    (("preprocess", "text"), tokenizers),
    (("model",), models),
    (("loss",), losses),
    (("optimizer",), optimizers),
    (("scheduler",), schedulers),
)


def extras_are_installed(outline: Outline) -> Iterator[Finding]:
    """The package of every chosen part is here."""
    for path, registry in _PARTS:
        with suppress(Unsound):
            chosen = _at(outline, path)
            remedy = chosen and missing(registry.get(chosen.name).facts)
            if remedy:
                told = f"The {registry.kind} {shown(chosen.name)} needs a package that is not installed: {remedy}"
                yield Finding(path, chosen.name, told, {"install": remedy})


def _at(outline: Outline, path: Path) -> Any:
    field, *inner = path
    found = outline[str(field)]
    for name in inner:
        found = getattr(found, str(name))
    return found
