"""A job trained over HTTP answers over HTTP, at both doors, with the very numbers of its validation pass."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
import torch

from core.data import Arrays
from core.loading import data, joining
from core.loading.cache import load
from core.loop import load_model, train
from core.spec import parse_spec
from tests.acceptance.doors.conftest import Door, EmbeddedDoor
from tests.acceptance.processes import wait_until
from tests.sizes import EMBEDDED_ALWAYS

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


@pytest.mark.parametrize("own_door", EMBEDDED_ALWAYS, indirect=True)
def test_a_whole_upload_is_predicted_in_a_job_that_outlives_its_worker(own_door: Door) -> None:
    """Each row's answer is that of a single request, also when whoever predicted was killed on the way."""
    rows = [{"x": x / 1000, "color": "red" if x % 3 else "blue", "y": x % 7} for x in range(60_000)]
    text = "x,color,y\n" + "".join(f"{row['x']},{row['color']},{row['y']}\n" for row in rows)
    data = own_door.http.post("/v1/datasets", files={"file": ("rows.csv", text)}).raise_for_status().json()
    table = {"name": "upload", "id": data["id"], "target": "y"}
    spec = {"dataset": table, "model": "linear", "batch_size": 4096, "epochs": 1}
    trained = own_door.ended(own_door.submit(spec))["id"]
    answer = own_door.http.post(f"/v1/jobs/{trained}/predictions", json={"dataset": data["id"], "format": "jsonl"})
    assert answer.status_code == httpx.codes.ACCEPTED, answer.text
    job_id = answer.json()["id"]
    wait_until(lambda: own_door.job(job_id)["status"] != "queued")
    own_door.kill_trainers_host()
    job = own_door.ended(job_id)
    assert (job["status"], job["status_reason"]) == ("succeeded", "completed"), job["error"]
    if isinstance(own_door, EmbeddedDoor):  # of two workers the other one may have had it
        assert job["attempt"] == 2
    lines = own_door.http.get(f"/v1/jobs/{job_id}/artifacts/predictions.jsonl").text.splitlines()
    found = [json.loads(line) for line in lines]
    assert [one["row"] for one in found] == list(range(len(rows)))
    for at in (0, 31_234, 59_000):
        single = own_door.http.post(f"/v1/jobs/{trained}/predict", json={"rows": rows[at : at + 1_000]}).json()["data"]
        assert [one["value"] for one in found[at : at + 1_000]] == pytest.approx([one["value"] for one in single])
