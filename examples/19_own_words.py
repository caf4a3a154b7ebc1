"""Words as vectors that are learned: 150 towns, each with a price level of its own, as codes and as embeddings.

    trainwire up                      # in one terminal
    python examples/19_own_words.py   # in another

The rents are made up: what 3,000 flats cost by size and town. Codes have a column for each of the 64 most frequent
words of a column and one for all others; an embedding has a vector for every word.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from trainwire import Client

FLATS, TOWNS = 3000, 150
CHANCE = np.random.default_rng(0)
LEVEL = CHANCE.normal(12, 4, TOWNS)

size, town = CHANCE.uniform(25, 120, FLATS), CHANCE.integers(TOWNS, size=FLATS)
rent = size * LEVEL[town] + CHANCE.normal(0, 40, FLATS)
rows = [f"town {at},{metres:.0f},{euros:.0f}" for at, metres, euros in zip(town, size, rent, strict=True)]

with tempfile.TemporaryDirectory() as folder, Client() as client:
    table = Path(folder) / "rents.csv"
    table.write_text("\n".join(["town,size,rent", *rows, ""]))
    dataset = {"name": "upload", "id": client.upload(table, "rents").id, "target": "rent"}
    for said, how in [("codes", {}), ("embeddings", {"embeddings": "auto"})]:
        job = client.submit(
            {
                "name": f"rents-by-{said}",
                "dataset": dataset,
                "model": {"name": "mlp", "hidden": [64], **how},
                "lr": 0.01,
                "batch_size": 64,
                "epochs": 20,
                "metrics": ["r2"],
            }
        )
        ended = client.wait(job.id)
        if ended.best:
            print(f"{ended.status}: R2 with towns as {said} {ended.best.val_r2:.3f}")
