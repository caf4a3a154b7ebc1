"""A table of your own: upload a CSV, see what is in it, train on it, and take the test figures.

    trainwire up                      # in one terminal
    python examples/18_own_table.py   # in another

The rides are made up: how many bikes were hired on 500 days, with the weather, some of it missing.
"""

from __future__ import annotations

from pathlib import Path

from trainwire import Client

TABLE = Path(__file__).parent / "data" / "bike_rides.csv"

with Client() as client:
    dataset = client.upload(TABLE, "bike-rides")
    for column in dataset.profile.columns:
        print(f"{column.name:14} {column.kind:9} {column.missing:3} missing")
    job = client.submit(
        {
            "name": "bike-rides",
            "dataset": {"name": "upload", "id": dataset.id, "target": "rides"},
            "split": {"validation": 0.2, "test": 0.1},
            "model": {"name": "mlp", "hidden": [32]},
            "optimizer": "adam",
            "lr": 0.01,
            "epochs": 40,
            "metrics": ["r2"],
        }
    )
    ended = client.wait(job.id)
    if ended.best and ended.test:
        print(f"{ended.status}: best epoch {ended.best.epoch}, R2 on days held back {ended.test.r2:.2f}")
