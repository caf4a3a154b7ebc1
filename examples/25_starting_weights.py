"""Starting weights: who has learned which digit a picture shows needs few more to tell the even ones from the odd ones.

    trainwire up                             # in one terminal
    python examples/25_starting_weights.py   # in another

The first job learns the ten digits from a thousand pictures of scikit-learn's. The others are told of 30 others only
whether they are even: one begins at random, one with the first job's weights. Its last layer has ten outputs, the new
one a single one: it starts afresh, as `strict: false` allows.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

from trainwire import Client

KNOWN, TOLD, ALL = 1000, 30, 1797
X, Y = load_digits(return_X_y=True)
X = X.reshape(-1, 1, 8, 8).astype(np.float32)
MODEL = {"name": "cnn", "channels": [32, 64], "hidden": [64]}

with tempfile.TemporaryDirectory() as folder, Client() as client:

    def uploaded(name: str, x: np.ndarray, y: np.ndarray) -> str:
        """The id of a dataset with these pictures and classes."""
        path = Path(folder) / f"{name}.npz"
        np.savez(path, x=x, y=y)
        return client.upload(path, name).id

    digits = {"name": "upload", "id": uploaded("digits", X[:KNOWN], Y[:KNOWN])}
    even = {"name": "upload", "id": uploaded("even-or-odd", X[KNOWN:], Y[KNOWN:] % 2)}
    first = client.wait(client.submit({"name": "digits", "dataset": digits, "model": MODEL, "epochs": 30}).id)
    print(f"{first.status}: learned the {first.name}")
    for said, start in {"random weights": None, "what was learned": {"job": first.id, "strict": False}}.items():
        job = client.submit(
            {
                "name": f"even-or-odd-from-{said.replace(' ', '-')}",
                "dataset": even,
                "split": {"validation": 1 - TOLD / (ALL - KNOWN)},
                "model": MODEL,
                "init_from": start,
                "lr": 0.003,
                "batch_size": 8,
                "epochs": 20,
            }
        )
        ended = client.wait(job.id)
        if ended.latest:
            print(f"{ended.status}: from {said} accuracy {ended.latest.val_accuracy:.3f}")
