"""A job whose data does not fit into the memory that it may hold, by far: the system itself enforces the limit."""

from __future__ import annotations

import hashlib
import io
import json
import math
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from PIL import Image

from core.dataset import Column, Dataset, Profile
from core.loading import order
from core.spec import JobSpec
from tests.core.uploading import NOW, Shelf

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_DATA limits what a process holds on Linux only")


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    (tmp_path / "datasets").mkdir()
    return Shelf(tmp_path / "datasets")


def table(rows: int, columns: int) -> bytes:
    """Numbers that repeat, so that the file is small and quickly made."""
    values = np.random.default_rng(0).normal(size=4096).astype(np.float32)
    cells = pl.Series(np.resize(values, rows))
    file = io.BytesIO()
    frame = pl.DataFrame({f"x{place}": cells for place in range(columns)})
    frame.with_columns(y=pl.col("x0") > 0).write_parquet(file, row_group_size=rows // 4)
    return file.getvalue()


def pictures(count: int, side: int) -> bytes:
    """Two colours; hardly any bytes in the zip."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for colour in ("navy", "orange"):
            drawn = io.BytesIO()
            Image.new("RGB", (side, side), colour).save(drawn, "png", compress_level=9)
            for number in range(count // 2):
                archive.writestr(f"{colour}/{number:04}.png", drawn.getvalue())
    return file.getvalue()


def dataset(shelf: Shelf, content: bytes, rows: int, columns: int) -> str:
    """The upload as it would be seen: looking at so many numbers takes longer than training on them."""
    sha256 = hashlib.sha256(content).hexdigest()
    (shelf.folder / sha256).write_bytes(content)
    features = [Column(f"x{place}", "number", 0, 4096, -4.0, 4.0, 0.0) for place in range(columns)]
    profile = Profile("table", "parquet", rows, (*features, Column("y", "boolean", 0, 2)))
    shelf.datasets["ds_large"] = Dataset("ds_large", sha256, len(content), "large.parquet", profile, NOW)
    return "ds_large"


def trained(spec: JobSpec, shelf: Shelf, *, room_mb: int, block: int = order.BLOCK_BYTES) -> dict[str, Any]:
    decoded = 4 * spec.data_shape.samples * math.prod(spec.data_shape.features)
    asked = shelf.folder / "spec.json"
    asked.write_text(spec.model_dump_json())
    command = [sys.executable, "-m", "tests.core.loop.larger", str(asked), str(shelf.folder), str(room_mb), str(block)]
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    told: dict[str, Any] = json.loads(done.stdout)
    megabytes = {name: f"{told[name] / 1e6:,.0f} MB" for name in ("before", "limit", "data", "resident")}
    print(f"{decoded / 1e6:,.0f} MB of features, {room_mb} MB of room: {megabytes}")
    assert told["data"] <= told["limit"]
    assert told["in_memory"] != 0, "there is room for everything"
    return told | {"decoded": decoded}


@pytest.mark.timeout(400)
def test_a_table_larger_than_its_room_trains(shelf: Shelf) -> None:
    upload = dataset(shelf, table(1_000_000, 70), 1_000_000, 70)
    fields = {"epochs": 1, "batch_size": 256, "loader": {"streaming": True}, "split": {"validation": 0.02}}
    told = trained(shelf.spec(upload, {"target": "y"}, **fields), shelf, room_mb=190, block=1 << 20)
    assert told["decoded"] >= 1.4 * 190e6
    assert told["losses"][0] < 0.5


@pytest.mark.full
def test_pictures_several_times_larger_than_their_room_train(shelf: Shelf) -> None:
    upload = shelf.put("large.zip", pictures(700, 256))
    fields: dict[str, Any] = {"epochs": 1, "batch_size": 8, "lr": 1e-5, "loader": {"streaming": True}}
    told = trained(shelf.spec(upload, {}, **fields), shelf, room_mb=180)
    assert told["decoded"] >= 3 * 180e6
    assert told["losses"][0] < 0.5


@pytest.mark.full
def test_a_table_several_times_larger_than_the_whole_limit_trains(shelf: Shelf) -> None:
    upload = dataset(shelf, table(1_600_000, 700), 1_600_000, 700)
    fields = {"epochs": 1, "batch_size": 1024, "loader": {"streaming": True}, "split": {"validation": 0.05}}
    told = trained(shelf.spec(upload, {"target": "y"}, **fields), shelf, room_mb=600)
    assert told["decoded"] >= 4 * told["limit"]
    assert told["losses"][0] < 0.5
