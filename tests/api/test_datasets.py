"""Uploads: streamed in, kept whole or not at all, shown, fetched and deleted."""

from __future__ import annotations

import asyncio
import hashlib
import os
import tracemalloc
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx2 import Response

from core import intake
from core.settings import Settings
from core.views import DatasetPage, DatasetView, RowsView
from tests.api.conftest import MakeApp
from tests.api.playing import SPEC
from tests.api.uploading import ARRAYS, CSV, PROFILE, TYPE, Looks, form, messages, part

Connect = Callable[..., TestClient]

SHA256 = hashlib.sha256(CSV).hexdigest()
NOBODY = f"ds_{'0' * 32}"


@pytest.fixture(autouse=True)
def looks(monkeypatch: pytest.MonkeyPatch) -> Looks:
    made = Looks()
    monkeypatch.setattr(intake, "inspect_file", made.inspect_file)
    monkeypatch.setattr(intake, "first_rows", made.first_rows)
    return made


def send(client: TestClient, content: bytes = CSV, filename: str = "pets.csv", **fields: str) -> Response:
    return client.post("/v1/datasets", files={"file": (filename, content)}, data=fields)


def sent(client: TestClient, content: bytes = CSV, **fields: str) -> DatasetView:
    answer = send(client, content, **fields)
    assert answer.status_code in {200, 201}, answer.text
    return DatasetView.model_validate_json(answer.content)


def posted(client: TestClient, body: bytes, content_type: str = TYPE) -> Response:
    return client.post("/v1/datasets", content=body, headers={"Content-Type": content_type})


def left(settings: Settings) -> set[str]:
    """What lies in the folder of the uploads, but for the lock."""
    folder = settings.artifacts / "datasets"
    return {str(found.relative_to(folder)) for found in folder.rglob("*") if found.is_file()} - {".lock"}


def asked(app: FastAPI, body: Iterable[bytes], *, vanishes: bool = False, length: int | None = None) -> list[Any]:
    """What the app answers to an upload that comes in these pieces."""
    headers = [(b"host", b"localhost"), (b"content-type", TYPE.encode())]
    if length is not None:
        headers.append((b"content-length", str(length).encode()))
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/v1/datasets",
        "raw_path": b"/v1/datasets",
        "query_string": b"",
        "root_path": "",
        "headers": headers,
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8000),
    }
    coming = messages(body, vanishes=vanishes)
    told: list[Any] = []

    async def receive() -> Any:
        return next(coming, {"type": "http.disconnect"})

    async def tell(message: Any) -> None:
        told.append(message)

    asyncio.run(app(scope, receive, tell))
    return told


def test_an_upload_is_kept_under_its_hash_and_shown(client: TestClient, settings: Settings, looks: Looks) -> None:
    answer = send(client, name="pets")

    assert answer.status_code == 201
    shown = DatasetView.model_validate_json(answer.content)
    assert answer.headers["Location"] == f"/v1/datasets/{shown.id}" == shown.links.self
    assert (shown.sha256, shown.bytes, shown.filename) == (SHA256, len(CSV), "pets.csv")
    assert [(name.name, name.version) for name in shown.names] == [("pets", 1)]
    assert [column.name for column in shown.profile.columns] == ["age", "species"]
    assert shown.profile.columns[1].counts == {"cat": 40, "dog": 30, "=cat": 20}
    assert client.get(shown.links.self).json() == answer.json()
    assert left(settings) == {SHA256}
    assert looks.seen == ["pets.csv"]


def test_the_same_file_twice_is_one_dataset(client: TestClient, settings: Settings, looks: Looks) -> None:
    first, again = send(client), send(client, filename="other.csv", name="pets")

    assert (first.status_code, again.status_code) == (201, 200)
    assert again.headers["Location"] == first.headers["Location"]
    assert again.json()["names"] == [{"name": "pets", "version": 1}]
    assert again.json()["filename"] == "pets.csv"
    assert left(settings) == {SHA256}
    assert looks.seen == ["pets.csv"]


def test_a_damaged_file_is_healed_by_uploading_it_again(client: TestClient, settings: Settings) -> None:
    sent(client)
    file = settings.artifacts / "datasets" / SHA256
    file.write_bytes(b"x" * len(CSV))
    sent(client)

    assert file.read_bytes() == CSV


def test_the_limits_of_the_settings_hold(connect: Connect, looks: Looks) -> None:
    send(connect(upload_columns=7, upload_seconds=1.5, upload_zip_bytes=99))

    assert looks.limits == [intake.Limits(columns=7, seconds=1.5, zip_bytes=99)]


def test_bad_data_is_a_422_with_places_and_the_file_is_gone(client: TestClient, settings: Settings) -> None:
    answer = send(client, b"bad data")

    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "invalid_data")
    assert len(problem["errors"]) == 20
    assert problem["errors"][0] == {"pointer": "/file/rows/1", "message": "Row 1 has 6 cells.", "allowed": None}
    assert "37 problems" in problem["detail"]
    assert left(settings) == set()
    assert client.get("/v1/datasets").json()["data"] == []


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (form(), "/file"),
        (form(part("name", b"pets")), "/file"),
        (form(part("file", CSV)), "/file"),
        (form(part("file", CSV, filename="")), "/file"),
        (form(part("file", CSV, filename="a.csv"), part("file", CSV, filename="b.csv")), "/file"),
        (form(part("fil", CSV, filename="a.csv")), "/fil"),
        (form(part("name", b"a"), part("name", b"b"), part("file", CSV, filename="a.csv")), "/name"),
        (form(part("name", b"a\x00b"), part("file", CSV, filename="a.csv")), "/name"),
        (form(part("name", b"a" * 5000), part("file", CSV, filename="a.csv")), "/name"),
        (form(part("name", b""), part("file", CSV, filename="a.csv")), "/name"),
        (form(part("name", b"   "), part("file", CSV, filename="a.csv")), "/name"),
        (form(part("file", CSV, filename="a.csv"))[:-20], "/file"),
        (b"no form at all", ""),
        (b"", "/file"),
        (form(part("file", CSV, filename="a.csv")).replace(b"form-data; name", b"form-data; nome"), "/"),
        (form(part("file" * 9999, CSV, filename="a.csv")), ""),
    ],
)
def test_a_form_that_is_not_as_it_should_be_is_a_422_that_says_where(
    client: TestClient, settings: Settings, body: bytes, pointer: str
) -> None:
    answer = posted(client, body)

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_parameter")
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert left(settings) == set()


@pytest.mark.parametrize("content_type", ["application/json", "multipart/form-data", "text/csv", "", "multipart/mixed"])
def test_a_body_that_is_no_form_is_a_415(client: TestClient, content_type: str) -> None:
    answer = posted(client, form(part("file", CSV, filename="a.csv")), content_type)

    assert answer.status_code == 415
    assert "curl -F" in answer.json()["detail"]


def test_a_boundary_without_an_end_is_a_422(client: TestClient) -> None:
    assert posted(client, b"--x", f"multipart/form-data; boundary={'x' * 5000}").status_code == 422


@pytest.mark.parametrize("name", ["größe", "a b", "a/b", "=1+1", "x" * 200])
def test_a_name_may_be_any_words(client: TestClient, name: str) -> None:
    assert sent(client, name=name).names[0].name == name
    assert len(client.get("/v1/datasets", params={"name": name}).json()["data"]) == 1


@pytest.mark.parametrize(
    ("given", "shown"),
    [("C:\\data\\pets.csv", "pets.csv"), ("../../etc/pets.csv", "pets.csv"), ("größe.csv", "größe.csv")],
)
def test_a_file_is_called_by_its_bare_name(client: TestClient, given: str, shown: str) -> None:
    body = form(part("file", CSV, filename=given))

    assert posted(client, body).json()["filename"] == shown


def test_a_file_over_the_limit_is_a_413_and_nothing_stays(connect: Connect, settings: Settings) -> None:
    client = connect(max_upload_bytes=1000)

    assert send(client, b"x" * 1000).status_code == 201
    for size in (1001, 2_000_000):
        answer = send(client, b"x" * size)
        assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    assert left(settings) == {hashlib.sha256(b"x" * 1000).hexdigest()}


def test_only_uploads_may_be_large(client: TestClient) -> None:
    large = b" " * 1_100_000

    assert send(client, large).status_code == 201
    for path in ("/v1/jobs", "/v1/datasets/", f"/v1/datasets/{NOBODY}"):
        assert client.post(path, content=large).status_code == 413
    assert client.put("/v1/datasets", content=large).status_code == 413


@pytest.mark.parametrize("sent_whole", [0, 1, 30])
def test_half_an_upload_of_a_client_that_went_away_leaves_nothing(
    make_app: MakeApp, settings: Settings, looks: Looks, sent_whole: int
) -> None:
    begin = part("file", b"", filename="a.csv")[:-2]
    asked(make_app(), [begin, *[b"x" * 65_536] * sent_whole], vanishes=True)

    assert left(settings) == set()
    assert looks.seen == []


def test_an_upload_is_never_in_memory(make_app: MakeApp, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "inspect_file", lambda *_, **__: PROFILE)
    app, piece, end = make_app(), os.urandom(65_536), form()
    body = (part("file", b"", filename="a.csv")[:-2], *[piece] * 1000, b"\r\n" + end)
    tracemalloc.start()
    try:
        told = asked(app, body)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert told[0]["status"] == 201
    assert sum(found.stat().st_size for found in (settings.artifacts / "datasets").glob("[0-9a-f]*")) == 65_536_000
    assert peak < 16 << 20


def test_what_cannot_fit_is_refused_before_it_is_sent(make_app: MakeApp, settings: Settings) -> None:
    told = asked(make_app(max_upload_bytes=10**17), [], length=10**16)

    assert told[0]["status"] == 507
    assert b"storage_full" in told[1]["body"]
    assert left(settings) == set()


def test_a_disk_that_runs_full_is_a_507_and_nothing_stays(
    client: TestClient, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    answer = send(client)

    assert (answer.status_code, answer.json()["code"]) == (507, "storage_full")
    assert left(settings) == set()


def test_datasets_are_listed_newest_first(client: TestClient) -> None:
    ids = [sent(client, b"%d" % number, name="odd" if number % 2 else "even").id for number in range(5)]
    first = client.get("/v1/datasets", params={"limit": 3})
    page = DatasetPage.model_validate_json(first.content)

    assert [one.id for one in page.data] == ids[:1:-1]
    assert page.has_more
    rest = client.get(first.links["next"]["url"]).json()
    assert ([one["id"] for one in rest["data"]], rest["has_more"]) == (ids[1::-1], False)
    assert [one["id"] for one in client.get("/v1/datasets?name=odd").json()["data"]] == [ids[3], ids[1]]


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "after=x", "nane=a", "name=", "name=%00"])
def test_a_wrong_parameter_of_the_list_is_a_422(client: TestClient, query: str) -> None:
    assert client.get(f"/v1/datasets?{query}").status_code == 422


def test_a_dataset_that_the_client_has_is_a_304_until_it_gets_a_name(client: TestClient) -> None:
    path = sent(client).links.self
    etag = client.get(path).headers["ETag"]

    assert client.get(path, headers={"If-None-Match": etag}).status_code == 304
    sent(client, name="pets")
    assert client.get(path, headers={"If-None-Match": etag}).status_code == 200


def test_the_first_rows_come_as_json(client: TestClient) -> None:
    path = sent(client).links.rows
    rows = RowsView.model_validate_json(client.get(path, params={"limit": 3}).content)

    assert rows.columns == ["age", "species"]
    assert rows.rows == [[1.0, "cat"], [2.5, "dog"], [None, "=cat"]]
    assert client.get(path, params={"limit": 1001}).status_code == 422


def test_rows_as_csv_run_nothing_in_a_spreadsheet(client: TestClient) -> None:
    answer = client.get(sent(client).links.rows, params={"format": "csv"})

    assert answer.headers["Content-Type"].startswith("text/csv")
    assert answer.text == "age,species\n1.0,cat\n2.5,dog\n,'=cat\n-1.0,'-1\n3.0,a\tb\n"


def test_arrays_have_no_rows(client: TestClient, looks: Looks) -> None:
    looks.profile = ARRAYS
    answer = client.get(sent(client).links.rows)

    assert answer.status_code == 422
    assert "arrays" in answer.json()["detail"]


def test_the_file_comes_back_whole_and_in_part(client: TestClient) -> None:
    path = sent(client).links.file
    answer = client.get(path)

    assert (answer.content, answer.headers["ETag"]) == (CSV, f'"{SHA256}"')
    assert answer.headers["Content-Disposition"] == "attachment; filename*=utf-8''pets.csv"
    assert answer.headers["Content-Security-Policy"] == "sandbox"
    half = client.get(path, headers={"Range": "bytes=4-6"})
    assert (half.status_code, half.content) == (206, CSV[4:7])
    assert client.get(path, headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304


def test_a_file_that_was_lost_is_a_404(client: TestClient, settings: Settings) -> None:
    shown = sent(client)
    (settings.artifacts / "datasets" / SHA256).unlink()

    assert client.get(shown.links.file).status_code == 404
    assert client.get(shown.links.rows).status_code == 404


def test_a_link_in_the_place_of_a_file_is_not_followed(client: TestClient, settings: Settings, tmp_path: Path) -> None:
    shown = sent(client)
    (tmp_path / "secret").write_text("secret")
    (settings.artifacts / "datasets" / SHA256).unlink()
    (settings.artifacts / "datasets" / SHA256).symlink_to(tmp_path / "secret")

    for path in (shown.links.file, shown.links.rows):
        assert client.get(path).status_code == 404


def test_a_deleted_dataset_is_gone_with_its_file_and_deleting_is_repeatable(
    client: TestClient, settings: Settings
) -> None:
    shown = sent(client, name="pets")

    assert [client.delete(shown.links.self).status_code for _ in range(2)] == [204, 204]
    assert left(settings) == set()
    for path in (shown.links.self, shown.links.rows, shown.links.file):
        assert client.get(path).status_code == 410
    assert client.get("/v1/datasets").json()["data"] == []
    assert sent(client).id != shown.id


def test_a_job_over_an_upload_keeps_it_until_it_ends(client: TestClient) -> None:
    shown = sent(client)
    dataset = {"name": "upload", "id": shown.id, "target": "species"}
    job = client.post("/v1/jobs", json={"dataset": dataset, "model": "mlp"})

    assert job.status_code == 202, job.text
    assert job.json()["spec"]["dataset"]["facts"]["sha256"] == SHA256
    refused = client.delete(shown.links.self)
    assert (refused.status_code, refused.json()["code"]) == (409, "wrong_status")
    assert job.json()["id"] in refused.json()["detail"]
    client.post(job.json()["links"]["cancel"])
    assert client.delete(shown.links.self).status_code == 204
    assert client.post(job.json()["links"]["retry"]).status_code == 422


def test_a_spec_over_an_upload_that_is_not_there_tells_all_its_problems(client: TestClient) -> None:
    dataset = {"name": "upload", "id": NOBODY, "target": "species"}
    answer = client.post("/v1/jobs", json={"dataset": dataset, "model": "mlp", "lr": -1})

    assert answer.status_code == 422
    assert {error["pointer"] for error in answer.json()["errors"]} == {"/dataset/id", "/lr"}


@pytest.mark.parametrize("dataset_id", [NOBODY, "ds_x", "job_1", "..%2f..%2fetc%2fpasswd", "%00", "x" * 500])
def test_what_is_no_dataset_is_a_404(client: TestClient, dataset_id: str) -> None:
    for path in (f"/v1/datasets/{dataset_id}", f"/v1/datasets/{dataset_id}/rows", f"/v1/datasets/{dataset_id}/file"):
        assert client.get(path).status_code == 404
    assert client.delete(f"/v1/datasets/{dataset_id}").status_code == 404


def test_another_sites_page_uploads_nothing(client: TestClient, settings: Settings) -> None:
    answer = client.post("/v1/datasets", files={"file": ("a.csv", CSV)}, headers={"Origin": "http://evil.test"})

    assert answer.status_code == 403
    assert left(settings) == set()
    assert client.post("/v1/jobs", json=SPEC).status_code == 202
