"""Several seeds over HTTP: one job that tells how much of its figures is luck."""

from __future__ import annotations

import csv
import io
import statistics
from typing import Any

import httpx
import pytest
from rich.console import Console

from core.errors import SpecRefused
from core.job import EventType, Status
from core.views import JobView
from trainwire.client import Client
from trainwire.figures import job_page

IRIS = {"dataset": "iris", "model": "linear", "epochs": 2, "lr": 0.05}


def shown(job: JobView) -> str:
    console = Console(file=io.StringIO(), width=120, color_system=None)
    console.print(job_page(job))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_the_seeds_of_a_job_are_told_with_their_rows_and_their_interval(client: Client, service: Any) -> None:
    job = client.submit({**IRIS, "seed": 4, "seeds": 3, "sharpness": {"directions": 3}})
    events = list(client.watch(job.id))
    ended, rows = client.wait(job.id), client.metrics(job.id)
    assert ended.status is Status.SUCCEEDED, ended.error
    assert [(row["epoch"], row["seed"]) for row in rows] == [(1, 4), (2, 4), (3, 5), (4, 5), (5, 6), (6, 6)]
    assert [event.data["seed"] for event in events if event.type is EventType.EPOCH] == [4, 4, 5, 5, 6, 6]
    assert ended.seeds is not None
    assert ended.folds is None
    found = [row["val_loss"] for row in rows[1::2]]
    assert [one["val_loss"] for one in ended.seeds.figures] == found
    assert ended.seeds.mean["val_loss"] == pytest.approx(statistics.fmean(found))
    assert ended.seeds.margin["val_loss"] == pytest.approx(4.302653 * statistics.stdev(found) / 3**0.5, rel=1e-6)
    assert events[-1].data["seeds"] == ended.seeds.model_dump()
    assert (ended.best and ended.best.seed) in (4, 5, 6)

    text = httpx.get(f"{service.url}/v1/jobs/{job.id}/metrics", params={"format": "csv"}).text
    assert [row["seed"] for row in csv.DictReader(io.StringIO(text))] == ["4", "4", "5", "5", "6", "6"]
    page = shown(ended)
    assert "6/6" in page
    assert ended.sharpness is not None
    assert events[-1].data["sharpness"] == ended.sharpness.model_dump(exclude_none=True)
    assert f"the cost {ended.sharpness.cost:.4f} rises by" in page
    assert "seed 6 (epoch 6)" in page
    mean, margin = ended.seeds.mean["val_loss"], ended.seeds.margin["val_loss"]
    assert f"val_loss {mean:.4f} ± {margin:.4f}" in page
    with pytest.raises(SpecRefused, match="trains 3 seeds anew"):
        client.fork(job.id, epoch=1)
