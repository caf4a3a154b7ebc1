"""Text in a spec: which column of a table it is, how long a sample is, and what of the spec is about text alone."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from typing import Any

from core.checks import Finding, shown
from core.dataset import Column, Form
from core.encoding import Reading
from core.registry import models
from core.spec.axes import axes
from core.spec.outline import Outline
from core.windows import stretches

MAX_LENGTH, BLOCK_SIZE = 256, 128
"""Tokens of a cell and of a window, when not given."""
OF_TEXT = ("text", "max_length", "block_size")
"""The settings of `preprocess` that are about text."""


def text_alone(columns: Mapping[str, Column], kept: Container[str | None]) -> str | None:
    """The column of free text that is all a table has to learn from, beside the columns to be `kept` out of it."""
    found = [one for one in columns.values() if one.name not in kept and one.distinct + (one.missing > 0) > 1]
    return found[0].name if [(one.kind, one.odd) for one in found] == [("text", None)] else None


def as_text(columns: Mapping[str, str]) -> dict[str, str]:
    """The features where a tokenizer is asked for: a single column of words is text, though they repeat.

    >>> as_text({"review": "category 40?"})
    {'review': 'text?'}
    """
    read = {name: Reading.parse(told) for name, told in columns.items()}
    if [reading.kind for reading in read.values()] != ["category"]:
        return dict(columns)
    return {name: str(Reading("text", missing=reading.missing)) for name, reading in read.items()}


def defaults(form: Form) -> dict[str, Any]:
    """The settings of `preprocess` for text of a table, or for a plain one."""
    length = {"block_size": BLOCK_SIZE} if form == "text" else {"max_length": MAX_LENGTH}
    return {"features": "none", "text": "bytes", **length}


def text_settings_fit(outline: Outline) -> Iterator[Finding]:
    """What is about text is asked of text alone, by the name that its length has; tokens have no scale."""
    facts, wanted = outline.facts, outline["preprocess"]
    if facts is not None and facts.reads_text:
        yield from _of_text(facts.form, wanted)
        return
    for setting in OF_TEXT:
        if getattr(wanted, setting) is not None:
            told = f"{shown(setting)} is for text, and nothing here is learned from text."
            yield Finding(("preprocess", setting), getattr(wanted, setting), told, [None])


def _of_text(form: Form, wanted: Any) -> Iterator[Finding]:
    alien, own = ("max_length", "block_size") if form == "text" else ("block_size", "max_length")
    if getattr(wanted, alien) is not None:
        what = "a plain text" if form == "text" else "a column of text"
        told = f"{shown(alien)} is not for {what}; how many tokens a sample has is {shown(own)} there."
        yield Finding(("preprocess", alien), getattr(wanted, alien), told, [None])
    for setting in ("text", own):
        if getattr(wanted, setting) is None:
            told = f"{shown(setting)} must be told where text is learned from."
            yield Finding(("preprocess", setting), None, told, defaults(form)[setting])
    if wanted.features != "none":
        told = f"{shown(wanted.features)} scales numbers; tokens have no scale."
        yield Finding(("preprocess", "features"), wanted.features, told, ["none"])


def plain_text_has_no_folds(outline: Outline) -> Iterator[Finding]:
    """Its parts follow each other in the text."""
    facts, folds = outline.facts, outline["split"].folds
    if facts is not None and facts.form == "text" and folds is not None:
        told = "A plain text is split in its own order, so it has no folds: give shares for validation and test."
        yield Finding(("split", "folds"), folds, told, [None])


def windows_fit_parts(outline: Outline) -> Iterator[Finding]:
    """Every part of a plain text has at least one whole window, and what follows its last token."""
    facts, split, block_size = outline.facts, outline["split"], outline["preprocess"].block_size
    if facts is None or facts.form != "text" or block_size is None:
        return
    if split.validation is None or split.test is None:
        return
    parts = stretches(facts.samples, split.validation, test=split.test)
    name, least = min(((name, len(part)) for name, part in parts.items() if part), key=lambda one: one[1])
    if block_size + 1 > least:
        told = (
            f"The {'training' if name == 'train' else name} part has {least:,} bytes; "
            f"a window of {block_size:,} tokens takes one more than that."
        )
        yield Finding(("preprocess", "block_size"), block_size, told, {"maximum": least - 1})


def model_reads_data(outline: Outline) -> Iterator[Finding]:
    """Tokens go to a model that reads tokens and predicts what is to be predicted; nothing else does."""
    model, shape = outline.model, outline.data_shape
    reads = bool(model.facts.get("tokens"))
    if outline.reads_data:
        return
    if shape.vocabulary is None:
        told = f"The model {shown(model.name)} reads tokens; {shown(outline['dataset'].name)} holds no text here."
        if outline.facts is not None and outline.facts.form == "table":
            told += " Name a column of words as the only feature; where they repeat, give preprocess.text too."
    elif not reads:
        told = f"The model {shown(model.name)} reads numbers; this data is text, as tokens."
    elif shape.next_token:
        told = f"The model {shown(model.name)} predicts one target for each text; a plain text predicts its next token."
    else:
        told = f"The model {shown(model.name)} predicts the next token; here each text has its own target."
    yield Finding(("model",), model.name, told, [name for name in models.names() if serves(outline, name)])


def serves(outline: Outline, name: str) -> bool:
    """Whether the model of this name can read this data and predicts its target."""
    facts, shape = models.get(name).facts, outline.data_shape
    if len(shape.features) not in axes(models.get(name)):
        return False
    if facts.get("reconstructs") and not shape.reconstructs:
        return False  # it would predict something else
    reads = bool(facts.get("tokens")) == (shape.vocabulary is not None)
    return reads and outline.task in facts.get("tasks", (outline.task,))
