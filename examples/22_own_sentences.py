"""Sentences of your own, with a class each: a table whose one feature is text.

    trainwire up                          # in one terminal
    python examples/22_own_sentences.py   # in another

The sentences are real: how NumPy, polars and Python's own library begin to describe what each of their functions does.
Which of the three says so?
"""

from __future__ import annotations

import inspect
import json
import os
import random
import statistics
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from trainwire import Client

LIBRARIES: dict[str, list[Any]] = {
    "numpy": [np, np.ndarray, np.linalg, np.random],
    "polars": [pl, pl.DataFrame, pl.Expr, pl.LazyFrame, pl.Series],
    "python": [str, bytes, list, dict, set, os, Path, datetime, random, statistics],
}


def sentences(homes: list[Any]) -> list[str]:
    """The first paragraph about everything public there, each once."""
    told = [inspect.getdoc(getattr(home, name)) for home in homes for name in dir(home) if not name.startswith("_")]
    return sorted({" ".join(text.split("\n\n")[0].split()) for text in told if text})


with tempfile.TemporaryDirectory() as folder, Client() as client:
    file = Path(folder) / "sentences.jsonl"
    rows = [{"says": text, "library": library} for library, homes in LIBRARIES.items() for text in sentences(homes)]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    dataset = client.upload(file, "sentences")
    print(f"{dataset.profile.rows} sentences")
    job = client.submit(
        {
            "name": "who-says-so",
            "dataset": {"name": "upload", "id": dataset.id, "target": "library"},
            "split": {"validation": 0.15, "test": 0.15},
            "preprocess": {"text": "bytes"},
            "model": {"name": "embedding_bag", "embedding_dim": 32, "ngrams": 4, "buckets": 20000},
            "lr": 0.01,
            "epochs": 12,
            "early_stopping": {"patience": 4},
            "metrics": ["accuracy", "f1"],
        }
    )
    ended = client.wait(job.id)
    if ended.test:
        print(f"{ended.status}: accuracy on sentences held back {ended.test.accuracy:.3f}")
