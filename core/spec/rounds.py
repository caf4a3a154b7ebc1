"""What must hold of a job that trains several times, judged for each of its rounds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress

from core.checks import Finding
from core.parts.limits import MAX_SEED
from core.spec.outline import Outline, Unsound
from core.split import Sizes

Check = Callable[[Outline], Iterator[Finding]]


def in_rounds(check: Check, outline: Outline) -> Iterator[Finding]:
    """What a check finds in the first round in which it finds anything: rounds differ by a few samples, if at all."""
    rounds: tuple[Outline, ...] = (outline,)
    with suppress(Unsound):
        rounds = outline.rounds
    for one in {_sizes(each): each for each in reversed(rounds)}.values():
        found = False
        for finding in check(one):
            found = True
            yield finding
        if found:
            return


def rounds_are_of_one_kind(outline: Outline) -> Iterator[Finding]:
    """A job trains several folds or several seeds, and the last seed is one too."""
    seeds, seed, split = outline["seeds"], outline["seed"], outline["split"]
    if seeds == 1:
        return
    if len(split.rounds) > 1:
        told = (
            f"A job trains the {split.folds} folds of its data or {seeds} seeds, not both: leave one out, or take "
            "split.fold, which trains one of the folds alone."
        )
        yield Finding(("seeds",), seeds, told, [1])
    elif seed + seeds - 1 > MAX_SEED:
        told = f"{seeds} seeds from {seed} on end behind the largest one, {MAX_SEED}."
        yield Finding(("seed",), seed, told, {"maximum": MAX_SEED + 1 - seeds})


def _sizes(outline: Outline) -> Sizes | None:
    with suppress(Unsound):
        return outline.split_sizes
    return None
