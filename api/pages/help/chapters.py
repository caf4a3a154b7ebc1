"""Which chapters the help has, in reading order, and where their text lies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

_PAGES = Path(__file__).resolve().parents[1]
_HOUSE = _PAGES.parents[1]
_INSTALLED = _PAGES / "docs"
"""Where the wheel keeps them."""


@dataclass(frozen=True, slots=True)
class Chapter:
    """A page of the help: the Markdown `file` that it is, or None for one that is drawn from the code."""

    slug: str
    title: str
    file: str | None = None

    @property
    def address(self) -> str:
        """Where it is served."""
        return f"/help/{self.slug}"

    @property
    def path(self) -> Path | None:
        """Its text, where it is installed or in a checkout."""
        if self.file is None:
            return None
        installed = _INSTALLED / Path(self.file).name
        return installed if installed.is_file() else _HOUSE / self.file


SECTIONS: Mapping[str, tuple[Chapter, ...]] = {
    "Start": (Chapter("quickstart", "Quickstart", "docs/quickstart.md"),),
    "By task": (
        Chapter("data", "Bring data", "docs/data.md"),
        Chapter("models", "Choose a model", "docs/models.md"),
        Chapter("training", "Train", "docs/training.md"),
        Chapter("watching", "Watch and compare", "docs/watching.md"),
        Chapter("using", "Predict, export, report", "docs/using.md"),
        Chapter("extending", "Extend", "docs/extending.md"),
    ),
    "Reference": (
        Chapter("spec", "The spec"),
        Chapter("parts", "The parts"),
        Chapter("api", "The API"),
        Chapter("settings", "Settings", "docs/settings.md"),
    ),
    "Behind it": (
        Chapter("how-it-works", "How it works", "ARCHITECTURE.md"),
        Chapter("reliability", "Reliability", "docs/reliability.md"),
        Chapter("deployment", "Deployment", "docs/deployment.md"),
    ),
}
CHAPTERS: Mapping[str, Chapter] = {one.slug: one for section in SECTIONS.values() for one in section}
BY_FILE: Mapping[str, Chapter] = {Path(one.file).name: one for one in CHAPTERS.values() if one.file is not None}


def picture(name: str) -> Path | None:
    """The file of a picture of the documentation, where it is installed or in a checkout; None if there is none."""
    folder = next(one for one in (_INSTALLED, _HOUSE / "docs") if one.is_dir()) / "pictures"
    return next((file for file in folder.glob("*.png") if file.name == name), None)


def beside(chapter: Chapter) -> tuple[Chapter | None, Chapter | None]:
    """The chapter before this one, and the one behind it."""
    order = list(CHAPTERS.values())
    before = {second.slug: first for first, second in pairwise(order)}
    behind = {first.slug: second for first, second in pairwise(order)}
    return before.get(chapter.slug), behind.get(chapter.slug)
