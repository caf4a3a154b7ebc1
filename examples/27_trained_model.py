"""A trained model: take it home as a graph, and ask its job about days that nobody has seen and every row of a file.

    trainwire up                          # in one terminal
    python examples/27_trained_model.py   # in another

What was done to the training data is done to the rows that are sent: words become codes, and cells that are missing are
filled in. The answers come in the target's own unit.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from trainwire import Client

TABLE = Path(__file__).parent / "data" / "bike_rides.csv"
DAYS = [
    {"day": "2025-07-01", "weather": "snow", "temperature_c": -3, "holiday": "no"},
    {"day": "2025-07-01", "weather": "fog", "temperature_c": 10},  # a word that no row had, and no word of holidays
    {"day": "2025-07-01", "weather": "sun", "temperature_c": 22, "holiday": "no"},
]

with Client() as client:
    job = client.submit(
        {
            "name": "bike-rides-to-ask",
            "dataset": {"name": "upload", "id": client.upload(TABLE, "bike-rides").id, "target": "rides"},
            "split": {"validation": 0.2},
            "model": {"name": "mlp", "hidden": [32]},
            "lr": 0.01,
            "epochs": 40,
            "early_stopping": {"patience": 10},
        }
    )
    ended = client.wait(job.id)
    with tempfile.TemporaryDirectory() as folder:
        graph = client.fetch(client.export(job.id, "pt2"), folder)
        print(f"{graph.name}, {graph.stat().st_size} bytes: torch.export.load reads it, without Trainwire")
    every = [row["value"] for row in client.predict_all(job.id, TABLE)]
    print(f"{len(every)} days of the file: {min(every):.0f} to {max(every):.0f} rides")
    answer = client.predict(job.id, rows=DAYS)
    print(f"by the weights of epoch {answer.weights.epoch}")
    for day, said in zip(DAYS, answer.data, strict=True):
        print(f"{ended.status}: {day['weather']} at {day['temperature_c']} degrees, rides {said['value']:.0f}")
