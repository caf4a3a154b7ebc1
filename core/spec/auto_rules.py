"""What must hold of a spec whose numbers the run is to find."""

from __future__ import annotations

from collections.abc import Iterator

from core.checks import Finding, shown
from core.spec.auto import AUTO
from core.spec.outline import Outline


def what_is_found_can_be_tried(outline: Outline) -> Iterator[Finding]:
    """An optimizer that wants the full batch takes none that is found, and its steps say nothing of a rate."""
    if not outline.optimizer.facts.get("full_batch"):
        return
    name, train = shown(outline["optimizer"].name), outline.split_sizes.train
    if outline.is_auto("batch_size"):
        told = f'{name} takes the full batch: {train} samples; "auto" never takes more than a fifth of them.'
        yield Finding(("batch_size",), AUTO, told, {"minimum": train})
    if outline.is_auto("lr"):
        told = f'{name} sizes its steps by itself, so a test of one mini-batch after another finds no "auto" for it.'
        yield Finding(("lr",), AUTO, told, {"exclusiveMinimum": 0})
