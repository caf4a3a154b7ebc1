"""Files on their way to the service, and what an answer to them means."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from core.errors import BadRequest, DataRefused, NoServer, Refused
from tests.trainwire.fakes import Answer, Scripted
from trainwire.client import Client
from trainwire.sending import Sent, opened

ROWS = b"a,b\n" + b"1,2\n" * 50_000
DATASET = {
    "id": "ds_1",
    "sha256": "0" * 64,
    "bytes": 9,
    "filename": "t.csv",
    "names": [],
    "profile": {"form": "table", "format": "csv", "rows": 2},
    "created_at": "2026-11-23T04:05:06.789012Z",
    "links": {"self": "/v1/datasets/ds_1", "rows": "/v1/datasets/ds_1/rows", "file": "/file"},
}
THERE = Answer(201, json.dumps(DATASET).encode())


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "größe 1.csv"
    path.write_bytes(ROWS)
    return path


def test_a_file_goes_as_a_form_and_its_way_is_told(scripted: Scripted, table: Path) -> None:
    scripted.script = [THERE]
    told: list[tuple[int, int]] = []
    with Client(scripted.url) as client:
        assert client.upload(table, "sizes", told=lambda *sent: told.append(sent)).id == "ds_1"
    (body,) = scripted.bodies
    assert ROWS in body
    assert 'name="file"; filename="größe 1.csv"'.encode() in body
    assert b'name="name"\r\n\r\nsizes\r\n' in body
    assert told == sorted(told)
    assert told[-1] == (len(ROWS), len(ROWS))
    assert len(told) > 2, "it was read whole"


def test_an_upload_that_was_cut_off_is_sent_again_whole(scripted: Scripted, table: Path) -> None:
    scripted.script = [Answer(201, b"{", cut=True), THERE]
    with Client(scripted.url) as client:
        assert client.upload(table).id == "ds_1"
    assert [ROWS in body for body in scripted.bodies] == [True, True]


def test_nobody_there_is_said_at_once(free_url: str, table: Path) -> None:
    with Client(free_url) as client, pytest.raises(NoServer):
        client.upload(table)


def test_what_is_wrong_in_a_file_comes_with_its_places(scripted: Scripted, table: Path) -> None:
    problems = [{"pointer": "/file/rows/7", "message": "Row 7: it has 3 cells."}] * 20
    told = {"code": "invalid_data", "detail": "The file has 33 problems; these are the first 20.", "errors": problems}
    scripted.script = [Answer(422, json.dumps(told).encode())]
    with Client(scripted.url) as client, pytest.raises(DataRefused, match="Row 7") as refused:
        client.upload(table)
    assert refused.value.problems[0].pointer == "/file/rows/7"
    assert refused.value.problem["detail"] == told["detail"]


@pytest.mark.parametrize("status", [413, 507])
def test_a_file_without_room_is_refused_in_the_services_words(status: int, scripted: Scripted, table: Path) -> None:
    scripted.script = [Answer(status, b'{"code": "x", "detail": "There is no room for it."}')]
    with Client(scripted.url) as client, pytest.raises(Exception, match="There is no room for it") as refused:
        client.upload(table)
    assert isinstance(refused.value, Refused) == (status == 413)


def test_a_download_lies_under_its_own_name_wherever_that_would_lead(scripted: Scripted, tmp_path: Path) -> None:
    sha256 = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"
    listed = json.dumps({**DATASET, "filename": "../../t.csv", "sha256": sha256}).encode()
    scripted.script = [Answer(200, listed), Answer(200, b"foo")]
    with Client(scripted.url) as client:
        assert client.download_dataset("ds_1", tmp_path / "home") == tmp_path / "home" / "t.csv"
    assert (tmp_path / "home" / "t.csv").read_bytes() == b"foo"


@pytest.mark.parametrize(("name", "told"), [("nowhere.csv", "No such file"), (".", "zip it first")])
def test_what_is_no_file_is_said_before_anything_is_asked(name: str, told: str, scripted: Scripted) -> None:
    with Client(scripted.url) as client, pytest.raises(BadRequest, match=told):
        client.upload(Path(name))
    assert scripted.asked == []


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(BadRequest, match="save it as a file"), opened(tmp_path / "pipe.csv"):
        pass


def test_a_file_that_grows_is_sent_as_long_as_it_was(table: Path) -> None:
    with opened(table) as file, table.open("ab") as more:
        sent = Sent(file, None)
        more.write(b"3,4\n")
        more.flush()
        assert sent.seek(0, os.SEEK_END) == len(ROWS)
        assert sent.seek(0) == 0
        assert sent.read() == ROWS
        assert sent.read() == b""


def test_a_file_that_shrinks_is_not_sent(table: Path) -> None:
    with opened(table) as file:
        sent = Sent(file, None)
        os.truncate(table, 10)
        assert sent.read(10) == ROWS[:10]
        with pytest.raises(BadRequest, match="became shorter"):
            sent.read(10)
