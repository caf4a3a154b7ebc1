"""A series of your own: upload a table with a column of time, and forecast the next hours from those before them.

    trainwire up                       # in one terminal
    python examples/24_own_series.py   # in another

The loads are made up: what two towns take from the grid each hour, with the rhythm of days and weeks, and chance.
"""

from __future__ import annotations

import tempfile
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from trainwire import Client

HOURS, AHEAD = np.arange(24 * 60), 3
DAY, WEEK = (2 * np.pi * HOURS / period for period in (24, 24 * 7))
CHANCE = np.random.default_rng(0)
SHAPE = 10 + 3 * np.sin(DAY) + np.sin(2 * DAY) + 2 * np.cos(WEEK)
LOADS = {town: size * (SHAPE + CHANCE.normal(0, 0.3, len(HOURS))) for town, size in (("north", 1.0), ("south", 1.5))}

start = datetime(2026, 1, 1)
rows = [
    f"{start + timedelta(hours=hour)},{town},{megawatts:.3f}"
    for town, loads in LOADS.items()
    for hour, megawatts in enumerate(loads.tolist())
]
with tempfile.TemporaryDirectory() as folder, Client() as client:
    table = Path(folder) / "loads.csv"
    table.write_text("\n".join(["hour,town,megawatts", *rows, ""]))
    series = {"time": "hour", "group": "town", "window": 48, "horizon": AHEAD}
    job = client.submit(
        {
            "name": "loads",
            "dataset": {"name": "upload", "id": client.upload(table).id, "target": "megawatts", "series": series},
            "split": {"validation": 0.2, "test": 0.1},
            "model": {"name": "mlp", "hidden": [64]},
            "lr": 0.003,
            "batch_size": 64,
            "epochs": 15,
            "metrics": ["mae", "r2"],
        }
    )
    ended = client.wait(job.id)
    ahead = range(1, AHEAD + 1)
    changes = [np.abs(loads[step:] - loads[:-step])[-200:].mean() for loads in LOADS.values() for step in ahead]
    if ended.test:
        print(f"as the last hour was: off by {np.mean(changes):.2f} megawatts")
        print(f"{ended.status}: off by {ended.test.mae:.2f}")
