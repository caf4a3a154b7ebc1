"""Arrays of your own: an NPZ with `x` (samples first) and `y` (a class each), here small pieces of two photographs.

    trainwire up                       # in one terminal
    python examples/20_own_arrays.py   # in another

scikit-learn brings the photographs along: a temple in China, and a flower. Of which one is a piece of 8 x 8 pixels?
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_sample_image

from trainwire import Client

EACH, SIDE = 1000, 8
CHANCE = np.random.default_rng(0)


def pieces(photograph: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Squares from anywhere in it, in a shape of (samples, channels, height, width)."""
    height, width, _ = photograph.shape
    tops, lefts = CHANCE.integers(height - SIDE, size=EACH), CHANCE.integers(width - SIDE, size=EACH)
    cut = [photograph[top : top + SIDE, left : left + SIDE] for top, left in zip(tops, lefts, strict=True)]
    return np.stack(cut).transpose(0, 3, 1, 2)


with tempfile.TemporaryDirectory() as folder, Client() as client:
    file = Path(folder) / "pieces.npz"
    x = np.concatenate([pieces(load_sample_image(name)) for name in ("china.jpg", "flower.jpg")])
    np.savez(file, x=x, y=np.repeat([0, 1], EACH))
    dataset = client.upload(file, "pieces")
    print(f"{dataset.profile.rows} samples of {dataset.profile.shape}")
    job = client.submit(
        {
            "name": "pieces-of-photographs",
            "dataset": {"name": "upload", "id": dataset.id},
            "split": {"validation": 0.2, "test": 0.2},
            "preprocess": {"features": "per_channel"},
            "model": {"name": "cnn", "channels": [16, 32]},
            "lr": 0.003,
            "batch_size": 64,
            "epochs": 10,
            "early_stopping": {"patience": 5},
        }
    )
    ended = client.wait(job.id)
    if ended.test:
        print(f"{ended.status}: accuracy on pieces held back {ended.test.accuracy:.3f}")
