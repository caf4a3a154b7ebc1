"""Words as codes, for models that embed them: how many codes each column has, known from the facts of an upload."""

from __future__ import annotations

from dataclasses import replace

from core.data import DataShape
from core.dataset import Facts
from core.encoding import readings
from core.registry import models


def embeds(model: object) -> bool:
    """Whether a model, as far as it is sound, asks for the words of a table as codes."""
    settings = getattr(model, "__dict__", {})  # of a broken one only what is sound is there
    name = settings.get("name")
    known = name in models.names() and bool(models.get(name).facts.get("embeds"))
    return known and settings.get("embeddings") is not None


def has_rows(facts: Facts | None) -> bool:
    """Whether samples are rows of a table, column by column."""
    return facts is not None and facts.form == "table" and not facts.reads_text and facts.series is None


def as_codes(shape: DataShape, facts: Facts) -> DataShape:
    """The data of a table with a code for each word, behind the numbers of all other columns."""
    read = readings(facts.columns, embeds=True).values()
    categories = tuple(reading.codes for reading in read if reading.coded)
    return replace(shape, features=(sum(reading.slots for reading in read),), categories=categories)
