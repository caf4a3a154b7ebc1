"""Starting weights over both doors: from a job's and from an uploaded file, the same figures; what is needed stays."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from tests.acceptance.doors.conftest import Door

PLAIN: dict[str, Any] = {
    "dataset": "digits",
    "model": {"name": "mlp", "hidden": [32]},
    "optimizer": "sgd",
    "lr": 0.1,
    "batch_size": 1437,
    "loader": {"shuffle": False},
    "epochs": 4,
}
FIGURES = ("train_loss", "val_loss", "val_accuracy")


def figures(door: Door, job_id: str) -> list[list[float]]:
    return [[row[name] for name in FIGURES] for row in door.rows(job_id)]


def succeeded(door: Door, spec: dict[str, Any]) -> str:
    job_id = door.submit(spec)
    assert door.ended(job_id)["status"] == "succeeded", door.job(job_id)["error"]
    return job_id


def test_a_job_starts_from_anothers_weights_and_from_their_copy(door: Door, tmp_path: Path) -> None:
    whole, before = succeeded(door, {**PLAIN, "epochs": 6}), succeeded(door, PLAIN)
    path = tmp_path / "mine.safetensors"
    path.write_bytes(door.http.get(f"/v1/jobs/{before}/artifacts/model.safetensors").content)
    with path.open("rb") as file:
        weights = door.http.post("/v1/datasets", files={"file": file}).raise_for_status().json()
    assert (weights["profile"]["form"], weights["profile"]["rows"]) == ("weights", 4)
    for init in ({"job": before}, {"upload": weights["id"]}):
        after = succeeded(door, {**PLAIN, "epochs": 2, "init_from": init})
        assert figures(door, after) == figures(door, whole)[4:]
        (told,) = (event["data"] for event in door.events(after) if event["type"] == "notice")
        assert (told["code"], told["tensors"]) == ("starting_weights", 4)
    assert door.http.delete(weights["links"]["self"]).status_code == httpx.codes.NO_CONTENT


def test_a_job_that_starts_from_anothers_weights_can_be_tried_out(door: Door) -> None:
    spec = {**PLAIN, "init_from": {"job": succeeded(door, PLAIN)}}
    answer = door.http.post("/v1/jobs/plan", params={"probe": "true"}, json=spec, timeout=40)
    assert answer.status_code == httpx.codes.OK, answer.text
    assert answer.json()["seconds"]["source"] == "probe"


def test_weights_stay_while_a_job_needs_them_and_lost_ones_are_told(door: Door) -> None:
    before = succeeded(door, PLAIN)
    long = door.submit({**PLAIN, "epochs": 100_000, "init_from": {"job": before}})
    refused = door.http.delete(f"/v1/jobs/{before}")
    assert refused.status_code == httpx.codes.CONFLICT
    assert f"its weights are needed by {long}" in refused.json()["detail"]
    door.http.post(f"/v1/jobs/{long}/cancel").raise_for_status()
    assert door.ended(long)["status"] == "cancelled"
    (door.artifacts / before / "1" / "model.safetensors").unlink()
    lost = door.submit({**PLAIN, "init_from": {"job": before}})
    error = door.ended(lost)["error"]
    assert (error["code"], error["param"]) == ("invalid_data", "/init_from")
    assert error["hint"] == "Train them again, or upload a copy of them, and submit the job anew."
    assert door.http.delete(f"/v1/jobs/{before}").status_code == httpx.codes.NO_CONTENT
    gone = door.http.post("/v1/jobs", json={**PLAIN, "init_from": {"job": before}})
    assert gone.status_code == httpx.codes.UNPROCESSABLE_ENTITY
    assert [one["pointer"] for one in gone.json()["errors"]] == ["/init_from/job"]
