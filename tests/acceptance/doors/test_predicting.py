"""A job trained over HTTP answers over HTTP, at both doors, with the very numbers of its validation pass."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from core.data import Arrays
from core.loading import data, joining
from core.loading.cache import load
from core.loop import load_model, train
from core.spec import parse_spec
from tests.acceptance.doors.conftest import Door

SPEC: dict[str, Any] = {"dataset": "digits", "model": {"name": "mlp", "hidden": [32]}, "lr": 0.01, "epochs": 3}


def test_the_validation_rows_get_the_numbers_of_the_validation_pass_bit_for_bit(door: Door, tmp_path: Path) -> None:
    job = door.ended(door.submit(SPEC))
    spec = parse_spec(job["spec"])
    for _ in train(spec, folder=tmp_path):
        pass
    source, held = load(spec.dataset, cache=None), data.make(spec, cache=None).held
    assert isinstance(source, Arrays)
    assert held is not None
    places, at = joining.parts(spec, source).validation, 0
    model = load_model(tmp_path)
    for part in held.cut(spec.rows_at_once):
        rows = source.x[places[at : at + part.size]].tolist()
        at += part.size
        answer = door.http.post(f"/v1/jobs/{job['id']}/predict", json={"rows": rows}).raise_for_status().json()
        found = torch.tensor([list(one["probabilities"].values()) for one in answer["data"]])
        with torch.inference_mode():
            assert torch.equal(found, model(part.x).softmax(1))
    assert at == len(places)
    assert answer["weights"]["epoch"] == 3
