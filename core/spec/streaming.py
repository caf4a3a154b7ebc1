"""Which data is read as it is needed, because it would not fit into memory: decided by the spec alone."""

from __future__ import annotations

import math
from collections.abc import Iterator

from core.checks import Finding
from core.data import DataShape
from core.dataset import Facts
from core.spec.outline import Outline

LARGE_BYTES = 1 << 30
"""Features as float32 that take more are streamed; in memory, a table takes some nine times as much on its way."""
SHARE = 10
"""The same where resources.memory_gb is given: what is beyond torch's own 0.4 GB holds so many times the features."""
TORCH_BYTES = 400_000_000


def can_stream(facts: Facts | None) -> bool:
    """Whether the file can be read in pieces: zips of pictures can, and Parquet but for text and series."""
    if facts is None or facts.reads_text or facts.series is not None:
        return False
    return facts.form == "images" or facts.format == "parquet"


def is_large(shape: DataShape, memory_gb: float | None) -> bool:
    """Whether the decoded features would take more than a job should hold."""
    most = LARGE_BYTES if memory_gb is None else min(LARGE_BYTES, (memory_gb * 1e9 - TORCH_BYTES) / SHARE)
    return 4 * shape.samples * math.prod(shape.features) > most


def only_files_are_streamed(outline: Outline) -> Iterator[Finding]:
    """What is not read from a file that can be read in pieces is in memory as a whole."""
    wanted, facts = outline["loader"].streaming, outline.facts
    if wanted and not can_stream(facts):
        what = "This dataset is made in memory" if facts is None else f"An upload of the format {facts.format}"
        what = "Text" if facts is not None and facts.reads_text else what
        what = "A series, whose windows overlap," if facts is not None and facts.series is not None else what
        told = f"{what} cannot be read in pieces. Upload a table as Parquet to train on more than fits into memory."
        yield Finding(("loader", "streaming"), wanted, told, [False])
