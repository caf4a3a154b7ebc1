"""What must hold of an optimizer, its learning rate and its schedule, in each phase in which they train."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from core.checks import Finding, shown
from core.registry import PartSettings
from core.spec.outline import Outline
from core.spec.phases import Phase, followed
from core.spec.rounds import Check


def phases_say_the_rest(outline: Outline) -> Iterator[Finding]:
    """Beside phases, what they say may be said once more, but not otherwise."""
    if (phases := outline["phases"]) is None:
        return
    wanted = followed(phases)
    for field in ("optimizer", "lr", "scheduler"):
        for path, value, meant in _differences(field, outline[field], wanted[field]):
            where = "/".join(["/phases/0", *path])
            told = (
                f"This is {shown(value)}, and {shown(meant)} in the first phase ({where}). Leave it out beside phases."
            )
            yield Finding(path, value, told, [meant])
    if (epochs := outline["epochs"]) != wanted["epochs"]:
        told = f"This is {epochs}, and /phases have {wanted['epochs']} epochs together. Leave it out beside phases."
        yield Finding(("epochs",), epochs, told, [wanted["epochs"]])


def _differences(field: str, said: Any, meant: Any) -> Iterator[tuple[tuple[str, ...], Any, Any]]:
    """Where they differ: by their names, in some settings of a part, or altogether."""
    if said == meant:
        return
    if not isinstance(said, PartSettings) or said.name != meant.name:
        yield (field,), getattr(said, "name", said), getattr(meant, "name", meant)
        return
    for setting, value in said.settings().items():
        if value != (wanted := meant.settings()[setting]):
            yield (field, setting), value, wanted


def in_phases(check: Check) -> Check:
    """The same check of each phase, told where it stands in the list; of the whole spec where there are none."""

    def checked(outline: Outline) -> Iterator[Finding]:
        if outline["phases"] is None:
            yield from check(outline)
            return
        told: list[Finding] = []
        for place, phase in enumerate(outline.phases):
            for finding in check(phase):
                is_its_own = finding.path[0] in Phase.model_fields
                one = replace(finding, path=("phases", place, *finding.path)) if is_its_own else finding
                told += [] if one in told else [one]
        yield from told

    return checked


def full_batch_is_full(outline: Outline) -> Iterator[Finding]:
    """Some optimizers compare whole costs and go astray on parts of the data."""
    train, size = outline.split_sizes.train, outline["batch_size"]
    if outline.optimizer.facts.get("full_batch") and size < train:
        told = f"{shown(outline.optimizer.name)} takes the full batch: {train} samples, not {shown(size)}."
        yield Finding(("batch_size",), size, told, {"minimum": train})


def warmup_leaves_epochs(outline: Outline) -> Iterator[Finding]:
    """The warm-up ends before the run or its phase does."""
    epochs, warmup = outline["epochs"], outline["scheduler"].settings().get("warmup_epochs", 0)
    if warmup >= epochs:
        told = f"{shown(warmup)} epochs of warm-up leave none of the {epochs} for the schedule itself."
        yield Finding(("scheduler", "warmup_epochs"), warmup, told, {"maximum": epochs - 1})


def lowest_rate_is_below_lr(outline: Outline) -> Iterator[Finding]:
    """A schedule that falls to a floor begins above it; else it would climb."""
    lr, lowest = outline["lr"], outline["scheduler"].settings().get("min_lr", 0)
    if lowest > lr:
        told = f"The learning rate begins at {shown(lr)}, so it cannot fall to {shown(lowest)}."
        yield Finding(("scheduler", "min_lr"), lowest, told, {"maximum": lr})


PHASE_CHECKS: tuple[Check, ...] = tuple(
    in_phases(check) for check in (full_batch_is_full, warmup_leaves_epochs, lowest_rate_is_below_lr)
)
