"""The evaluation report of a run: what its kept weights predict of the part that was held back, told in full."""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from core import report, wire
from core.data import PADDING
from core.errors import sentence
from core.events import Noticed
from core.files import REPORT, artifact, written
from core.job import Artifact
from core.loop.run import Run
from core.loop.space import storing
from core.parts.uploads import goals_of

VERSION = 1
"""Raised when a member changes its meaning or goes; one that is added leaves it."""
SECTIONS = ("classes", "labels", "numbers", "tokens", "reconstruction")
_LONGEST = 100
"""Letters of a name: a thousand classes may have long ones."""

_Section = tuple[dict[str, Any], list[dict[str, Any]]]


class Seen:
    """What was predicted of the part held back: all of it, or sums where that would be large."""

    def __init__(self, run: Run) -> None:
        shape, tokens = run.spec.data_shape, run.data.columns.tokens
        self._all: tuple[Tensor, Tensor] | None = None
        self._tokens = self._made = None
        if shape.next_token and tokens is not None:
            widths = Tensor(tokens.tokenizer.widths)
            self._tokens = report.Predicted(shape.features[0], widths, padding=PADDING)
        elif shape.reconstructs:
            self._made = report.Reconstructed()

    def __call__(self, prediction: Tensor, target: Tensor) -> None:
        """Take a prediction as it comes out of the model, and the target as it is trained on."""
        if self._tokens is not None:
            self._tokens.see(prediction, target)
        elif self._made is not None:
            self._made.see(prediction, target)
        else:
            self._all = prediction, target

    def section(self, run: Run) -> tuple[str, _Section]:
        """The name of the report's section, the section, and the samples that are told by number."""
        columns, shape = run.data.columns, run.spec.data_shape
        if self._tokens is not None:
            return "tokens", (self._tokens.section(), [])
        if self._made is not None:
            return "reconstruction", self._made.section(columns.feature_names)
        if self._all is None:
            raise RuntimeError("nothing was predicted yet")
        prediction, target = self._all
        if shape.multilabel:
            return "labels", report.of_labels(prediction, target, _names(columns.class_names, shape.outputs))
        if shape.classes:
            return "classes", report.of_classes(prediction, target, _names(columns.class_names, shape.classes))
        undo = columns.target.undo
        return "numbers", report.of_numbers(undo(prediction), undo(target), _targets(run))


def save(
    run: Run, seen: Seen, figures: Mapping[str, float], *, folder: Path
) -> Generator[Noticed, None, tuple[Artifact, ...]]:
    """Write the report of a run whose held back part has these `figures`, and return the file.

    A model is worth more than what is told of it: where no report can be made, that is a notice. Raises StorageFull.
    """
    try:
        told = _report(run, seen, figures)
        text = json.dumps(told, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    except Exception as error:  # noqa: BLE001 - whatever it is, the weights are there and sound
        why = sentence(error)
        message = f"No evaluation report could be made: {why} The model is not touched by this."
        yield Noticed("no_report", message, {"error": why})
        return ()
    with storing(folder), written(folder / REPORT) as draft:
        draft.write_bytes(f"{text}\n".encode())
    return (artifact(folder / REPORT, media_type="application/json"),)


def _report(run: Run, seen: Seen, figures: Mapping[str, float]) -> dict[str, Any]:
    part = "validation" if run.data.test is None else "test"
    samples = run.data.last
    name, (section, worst) = seen.section(run)
    rows = run.data.rows.get(part)
    return {
        "version": VERSION,
        "part": part,
        "samples": samples.size if samples is not None else 0,
        "epoch": run.kept_row and run.kept_row.epoch,
        "fold": run.spec.split.fold,
        "seed": run.seed,
        "figures": wire.finite(figures),
        "kind": name,
        **dict.fromkeys(SECTIONS),
        name: section,
        "worst": [] if rows is None else [{"row": int(rows[one.pop("place")]), **one} for one in worst],
    }


def _names(known: tuple[str, ...] | None, count: int) -> tuple[str, ...]:
    return tuple(_shortened(name) for name in known) if known else tuple(map(str, range(count)))


def _shortened(name: str) -> str:
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"


def _targets(run: Run) -> tuple[str, ...]:
    """The names of the numbers that are predicted; of a series, how many steps ahead each is."""
    told, outputs = run.spec.dataset.settings(), run.spec.data_shape.outputs
    names = goals_of(told.get("target"))
    if told.get("series") is not None:
        return tuple(f"{names[0]} +{step}" for step in range(1, outputs + 1))
    if len(names) == outputs:
        return names
    return ("target",) if outputs == 1 else tuple(f"target {place}" for place in range(1, outputs + 1))
