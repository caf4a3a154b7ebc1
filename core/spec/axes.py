"""How many axes the samples may have that a model reads."""

from __future__ import annotations

from collections.abc import Container

from core.registry import Part

_ANY = range(64)
"""More axes than an upload may have."""


def axes(model: Part) -> Container[int]:
    """How many axes a sample may have: 1 of a row, 2 of a series (channels, length), 3 of an image."""
    found: Container[int] = model.facts.get("dims") or ((3,) if model.facts.get("images") else _ANY)
    return found
