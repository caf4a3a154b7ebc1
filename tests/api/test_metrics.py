"""A job's figures: pages, long polls, JSON lines, CSV, and thinning."""

from __future__ import annotations

import csv
import io
import json
import math
from concurrent.futures import ThreadPoolExecutor

import pytest
from fastapi.testclient import TestClient

from core.views import EpochPage
from tests.api.playing import Play, epoch
from tests.api.waiting import until_watched


def _numbers(client: TestClient, address: str) -> list[int]:
    return [row["epoch"] for row in client.get(address).json()["data"]]


def test_every_epoch_is_a_row_with_its_figures(client: TestClient, play: Play) -> None:
    page = EpochPage.model_validate_json(client.get(f"/v1/jobs/{play.ended(epochs=3).id}/metrics").content)

    assert [row.epoch for row in page.data] == [1, 2, 3]
    assert page.data[1].train_loss == 0.5
    assert page.data[1].model_dump()["val_accuracy"] == 0.9
    assert (page.has_more, page.next, page.status) == (False, None, "succeeded")


def test_rows_behind_an_epoch_come_in_pages(client: TestClient, play: Play) -> None:
    path = f"/v1/jobs/{play.ended(epochs=5).id}/metrics"

    assert _numbers(client, f"{path}?after=3") == [4, 5]
    first = client.get(f"{path}?limit=2").json()
    assert ([row["epoch"] for row in first["data"]], first["has_more"], first["next"]) == ([1, 2], True, "2")
    assert _numbers(client, client.get(f"{path}?limit=2").links["next"]["url"]) == [3, 4]
    assert client.get(f"{path}?limit=2&after=3").json()["has_more"] is False


def test_a_long_history_comes_a_thousand_rows_at_a_time(client: TestClient, play: Play) -> None:
    path = f"/v1/jobs/{play.ended(epochs=1001).id}/metrics"

    page = client.get(path).json()
    assert (len(page["data"]), page["has_more"], page["next"]) == (1000, True, "1000")
    assert len(client.get(f"{path}?limit=10000").json()["data"]) == 1001
    assert len(client.get(f"{path}?format=jsonl").text.splitlines()) == 1001
    assert len(client.get(f"{path}?format=csv").text.splitlines()) == 1002


def test_a_poll_that_waits_gets_the_next_epoch_as_it_happens(client: TestClient, play: Play) -> None:
    job = play.running()
    play.tell(job, epoch(1))

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(client.get, f"/v1/jobs/{job.id}/metrics?after=1&wait=30")
        until_watched(client)
        play.tell(job, epoch(2))
        page = waiting.result(timeout=60).json()
    assert [row["epoch"] for row in page["data"]] == [2]
    assert page["status"] == "running"


def test_a_poll_that_waits_in_vain_or_on_an_ended_job_is_empty(client: TestClient, play: Play) -> None:
    running, ended = play.running(), play.ended()

    assert client.get(f"/v1/jobs/{running.id}/metrics?wait=0.1").json()["data"] == []
    page = client.get(f"/v1/jobs/{ended.id}/metrics?after=3&wait=60").json()
    assert (page["data"], page["status"]) == ([], "succeeded")


def test_numbers_that_json_cannot_hold_are_null_and_named_and_exact_in_csv(client: TestClient, play: Play) -> None:
    job = play.running()
    play.tell(job, epoch(1, loss=math.nan, best=False), epoch(2, loss=-math.inf, best=False))
    path = f"/v1/jobs/{job.id}/metrics"

    rows = client.get(path).json()["data"]
    assert [row["train_loss"] for row in rows] == [None, None]
    assert [row["nonfinite"]["train_loss"] for row in rows] == ["nan", "-inf"]
    assert [json.loads(line) for line in client.get(f"{path}?format=jsonl").text.splitlines()] == rows
    table = list(csv.DictReader(io.StringIO(client.get(f"{path}?format=csv").text)))
    assert [row["train_loss"] for row in table] == ["nan", "-inf"]


def test_csv_holds_the_same_numbers(client: TestClient, play: Play) -> None:
    path = f"/v1/jobs/{play.ended(epochs=3).id}/metrics"

    answer = client.get(f"{path}?format=csv&after=1&limit=1")
    (row,) = csv.DictReader(io.StringIO(answer.text))
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert {name: float(value) for name, value in row.items()} == client.get(f"{path}?after=1").json()["data"][0]


def test_csv_without_epochs_is_its_header(client: TestClient, play: Play) -> None:
    text = client.get(f"/v1/jobs/{play.queued().id}/metrics?format=csv").text

    assert text == "epoch,train_loss,val_loss,lr,epoch_s,samples_per_s,data_wait_s\n"


@pytest.mark.parametrize("form", ["json", "jsonl", "csv"])
def test_points_thin_every_format(client: TestClient, play: Play, form: str) -> None:
    path = f"/v1/jobs/{play.ended(epochs=50).id}/metrics?max_points=10&format={form}"

    answer = client.get(path)
    found = len(answer.json()["data"]) if form == "json" else len(answer.text.splitlines()) - (form == "csv")
    assert 2 <= found <= 10


@pytest.mark.parametrize("query", ["after=-1", "after=99999999999", "limit=0", "max_points=1", "format=xml", "wait=99"])
def test_a_wrong_parameter_is_refused(client: TestClient, play: Play, query: str) -> None:
    answer = client.get(f"/v1/jobs/{play.queued().id}/metrics?{query}")

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == f"/query/{query.partition('=')[0]}"
