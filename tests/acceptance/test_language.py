"""A small transformer reads Python's own documentation byte by byte, and predicts the rest of it as gzip packs it."""

from __future__ import annotations

import gzip
from pathlib import Path
from pydoc_data.topics import topics

import pytest

from core.events import EpochDone
from core.loop import train
from tests.core.uploading import Shelf

TEXT = "\n".join(topics[name] for name in sorted(topics)).encode()
LINE = 2.2
"""Bits per byte on the last tenth of the text; 1.76 were reached in seven epochs, five minutes of one core."""


@pytest.mark.full
@pytest.mark.timeout(1_200)
def test_a_byte_language_model_predicts_documentation(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    spec = shelf.spec(
        shelf.put("documentation.txt", TEXT),
        {},
        model={"name": "gpt", "n_layer": 4, "n_head": 4, "n_embd": 128},
        preprocess={"text": "bytes", "block_size": 128},
        split={"validation": 0.1},
        scheduler="one_cycle",
        lr=0.003,
        batch_size=8,
        epochs=7,
        clip_grad_norm=1.0,
        resources={"threads": 2},
    )
    told = train(spec, folder=tmp_path / "out", datasets=shelf.folder)
    rows = [event.row for event in told if isinstance(event, EpochDone)]
    reached = min(row.metrics["val_bits_per_byte"] for row in rows)
    packed = 8 * len(gzip.compress(TEXT, 9)) / len(TEXT)
    spent = sum(row.epoch_s for row in rows)
    print(f"{reached:.3f} bits per byte after {spent:.0f} s; gzip -9 of the whole: {packed:.3f}")
    assert reached <= LINE
