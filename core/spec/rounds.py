"""What must hold of a job that trains several times, judged for each of its rounds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress

from core.checks import Finding
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


def _sizes(outline: Outline) -> Sizes | None:
    with suppress(Unsound):
        return outline.split_sizes
    return None
