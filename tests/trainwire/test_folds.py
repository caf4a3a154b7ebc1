"""A cross-validation over HTTP: one job whose folds are the trainings that anyone could make of them one by one."""

from __future__ import annotations

import csv
import io
import json
import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from rich.console import Console

from core.errors import SpecRefused
from core.job import EventType, Status
from core.views import JobView
from tests.trainwire.specs import LASTING
from trainwire.client import Client
from trainwire.figures import job_page
from trainwire.watching import Event

SPLIT = {"folds": 3, "test": 0.1}
IRIS = {"dataset": "iris", "model": "linear", "epochs": 3, "lr": 0.05, "early_stopping": {"patience": 2}}
TIMES = {"epoch", "fold", "epoch_s", "samples_per_s", "data_wait_s"}


def figures(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in row.items() if name not in TIMES} for row in rows]


def shown(job: JobView) -> str:
    console = Console(file=io.StringIO(), width=120, color_system=None)
    console.print(job_page(job))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_folds_give_what_as_many_trainings_over_the_same_parts_give(
    client: Client, service: Any, tmp_path: Path
) -> None:
    job = client.submit({**IRIS, "split": SPLIT})
    alone = [client.submit({**IRIS, "split": {**SPLIT, "fold": fold}}) for fold in (1, 2, 3)]
    events = list(client.watch(job.id))
    ended, others = client.wait(job.id), [client.wait(one.id) for one in alone]
    assert ended.status is Status.SUCCEEDED, ended.error
    rows = client.metrics(job.id)
    assert figures(rows) == [row for one in others for row in figures(client.metrics(one.id))]
    assert [row["epoch"] for row in rows] == list(range(1, 10))
    assert [row["fold"] for row in rows] == [1, 1, 1, 2, 2, 2, 3, 3, 3]
    assert [event.data["fold"] for event in events if event.type is EventType.EPOCH] == [row["fold"] for row in rows]
    assert next(event for event in events if event.type is EventType.STARTED).data["epochs"] == 9

    assert ended.folds is not None
    assert [one["fold"] for one in ended.folds.figures] == [1, 2, 3]
    best = [one.best.model_dump() for one in others if one.best is not None]
    for name in ("train_loss", "val_loss", "val_accuracy"):
        found = [one[name] for one in best]
        assert [one[name] for one in ended.folds.figures] == found
        assert ended.folds.mean[name] == pytest.approx(statistics.fmean(found), rel=1e-12)
        assert ended.folds.std[name] == pytest.approx(statistics.stdev(found), rel=1e-9)
    assert events[-1].data["folds"] == ended.folds.model_dump()

    chosen = min(range(3), key=lambda place: best[place]["val_loss"])
    assert ended.test == others[chosen].test, "the best fold's weights are kept, and tested"
    assert ended.best is not None
    assert ended.best.fold == chosen + 1
    client.download(job.id, tmp_path)
    card = json.loads(next(tmp_path.rglob("model.json")).read_text())
    assert (card["weights"]["fold"], card["spec"]["split"]["fold"]) == (chosen + 1, chosen + 1)
    assert card["figures"]["folds"] == ended.folds.model_dump()

    text = httpx.get(f"{service.url}/v1/jobs/{job.id}/metrics", params={"format": "csv"}).text
    assert [row["fold"] for row in csv.DictReader(io.StringIO(text))] == [str(row["fold"]) for row in rows]
    page = shown(ended)
    assert "9/9" in page
    assert "fold 3 (epoch" in page
    assert f"mean: train_loss {ended.folds.mean['train_loss']:.4f}" in page


def test_folds_are_paused_or_cancelled_and_go_on_exactly_and_are_not_forked(client: Client) -> None:
    fields = {**LASTING, "epochs": 20, "split": {"folds": 2}, "checkpoints": {"every_s": None, "every_epochs": 1}}
    whole, job, other = (client.submit({**fields, "name": name}) for name in ("whole", "paused", "cancelled"))
    events = client.watch(job.id)
    in_second_fold(events)
    client.pause(job.id)
    next(event for event in events if event.data.get("status") == Status.PAUSED)
    client.resume(job.id)
    assert next(event for event in events if event.type is EventType.STARTED).data["resumed"]["bit_exact"]

    in_second_fold(client.watch(other.id))
    client.cancel(other.id)
    assert client.wait(other.id).status is Status.CANCELLED
    again = client.retry(other.id)
    assert again.parent is not None
    behind = again.parent.epoch or 0
    assert behind > 20

    expected, rows = client.wait(whole.id), figures(client.metrics(whole.id))
    assert (client.wait(job.id).folds, figures(client.metrics(job.id))) == (expected.folds, rows)
    assert (client.wait(again.id).folds, figures(client.metrics(again.id))) == (expected.folds, rows[behind:])
    with pytest.raises(SpecRefused, match="trains 2 folds anew"):
        client.fork(job.id, epoch=3)


def in_second_fold(events: Iterator[Event]) -> None:
    next(event for event in events if event.type is EventType.EPOCH and event.data["fold"] == 2)
