"""The files of a job: listed, downloaded whole or in part, and never one that is not the job's."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from core.job import Artifact, Job
from core.settings import Settings
from core.views import ArtifactPage
from tests.api.playing import Play, finished

WEIGHTS = bytes(range(256)) * 4096
SHA256 = hashlib.sha256(WEIGHTS).hexdigest()
BAD_NAMES = [
    "../model.safetensors",
    "..%2f..%2fetc%2fpasswd",
    "%2e%2e/%2e%2e/etc/passwd",
    "%252e%252e%252fetc%252fpasswd",
    "%2Fetc%2Fpasswd",
    "..%5c..%5cetc%5cpasswd",
    "model.safetensors%00.json",
    "%00",
    "%2e%2e%2f",
    "model.safetensors/",
    "MODEL.SAFETENSORS",
    "C:%5cmodel",
    "model.safetensors%0d%0aX-Evil: 1",
    "%ff%fe",
    "~root",
]


def _artifact(job: Job, name: str, path: str | None = None) -> Artifact:
    return Artifact(name, path or f"{job.id}/1/{name}", "application/octet-stream", len(WEIGHTS), SHA256)


@pytest.fixture
def job(play: Play, settings: Settings) -> Job:
    running = play.running()
    folder = settings.artifacts / running.id / "1"
    folder.mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(WEIGHTS)
    (folder / "page.html").write_bytes(b"<script>alert(1)</script>")
    page = Artifact("page.html", f"{running.id}/1/page.html", "text/html", 25, "0" * 64)
    play.tell(running, finished(_artifact(running, "model.safetensors"), page))
    return play.store.job(running.id)


@pytest.fixture
def path(job: Job) -> str:
    return f"/v1/jobs/{job.id}/artifacts/model.safetensors"


def test_the_files_of_a_job_are_listed(client: TestClient, job: Job, path: str) -> None:
    page = ArtifactPage.model_validate_json(client.get(f"/v1/jobs/{job.id}/artifacts").content)

    weights = next(one for one in page.data if one.name == "model.safetensors")
    assert (weights.bytes, weights.sha256, weights.url) == (len(WEIGHTS), SHA256, path)


def test_a_file_comes_whole_with_its_digest_as_etag(client: TestClient, path: str) -> None:
    answer = client.get(path)

    assert answer.status_code == 200
    assert answer.content == WEIGHTS
    assert answer.headers["ETag"] == f'"{SHA256}"'
    assert answer.headers["Content-Length"] == str(len(WEIGHTS))
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert "model.safetensors" in answer.headers["Content-Disposition"]
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_page_among_the_files_is_never_shown(client: TestClient, job: Job) -> None:
    answer = client.get(f"/v1/jobs/{job.id}/artifacts/page.html")

    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["Content-Security-Policy"] == "sandbox"


@pytest.mark.parametrize("known", ['"{sha}"', 'W/"{sha}"', '"x", "{sha}"', "*"])
def test_a_file_that_the_client_has_is_a_304(client: TestClient, path: str, known: str) -> None:
    answer = client.get(path, headers={"If-None-Match": known.format(sha=SHA256)})

    assert (answer.status_code, answer.content) == (304, b"")
    assert answer.headers["ETag"] == f'"{SHA256}"'


@pytest.mark.parametrize(
    ("asked", "first", "behind"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=100-199", 100, 200),
        ("bytes=1000000-", 1_000_000, len(WEIGHTS)),
        ("bytes=-7", len(WEIGHTS) - 7, len(WEIGHTS)),
        ("bytes=5-99999999999", 5, len(WEIGHTS)),
        ("bytes=-99999999999", 0, len(WEIGHTS)),
        ("Bytes= 3 - 4", 3, 5),
    ],
)
def test_a_part_of_a_file(client: TestClient, path: str, asked: str, first: int, behind: int) -> None:
    answer = client.get(path, headers={"Range": asked})

    assert answer.status_code == 206
    assert answer.content == WEIGHTS[first:behind]
    assert answer.headers["Content-Range"] == f"bytes {first}-{behind - 1}/{len(WEIGHTS)}"
    assert answer.headers["Content-Length"] == str(behind - first)


@pytest.mark.parametrize(
    "asked",
    ["bytes=", "bytes=-", "bytes=9-1", "items=0-1", "bytes=a-b", "0-1", "bytes=0-1,5-6", "bytes=" + "0-," * 9999],
)
def test_a_range_that_cannot_be_read_means_the_whole(client: TestClient, path: str, asked: str) -> None:
    answer = client.get(path, headers={"Range": asked})

    assert (answer.status_code, len(answer.content)) == (200, len(WEIGHTS))


@pytest.mark.parametrize("asked", [f"bytes={len(WEIGHTS)}-", "bytes=99999999999-", "bytes=-0"])
def test_a_range_outside_the_file_is_a_416(client: TestClient, path: str, asked: str) -> None:
    answer = client.get(path, headers={"Range": asked})

    assert answer.status_code == 416
    assert answer.headers["Content-Range"] == f"bytes */{len(WEIGHTS)}"
    assert answer.json()["code"] == "range_not_satisfiable"


def test_a_range_holds_only_for_the_file_that_was_begun(client: TestClient, path: str) -> None:
    half = {"Range": "bytes=10-19"}

    assert client.get(path, headers={**half, "If-Range": f'"{SHA256}"'}).content == WEIGHTS[10:20]
    assert client.get(path, headers={**half, "If-Range": '"other"'}).content == WEIGHTS


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_name_that_leads_elsewhere_is_a_404(client: TestClient, job: Job, name: str) -> None:
    answer = client.get(f"/v1/jobs/{job.id}/artifacts/{name}")

    assert answer.status_code == 404
    assert "root:" not in answer.text


@pytest.mark.parametrize(
    "stored", ["../secret", "/etc/passwd", "{job}/1/../../../secret", "{job}/1/link", "{job}/dir/x"]
)
def test_a_row_that_leads_out_of_the_folder_is_not_followed(
    client: TestClient, play: Play, settings: Settings, stored: str
) -> None:
    running = play.running()
    (settings.artifacts.parent / "secret").write_text("secret")
    (settings.artifacts / running.id / "1").mkdir(parents=True)
    (settings.artifacts / running.id / "1" / "link").symlink_to(settings.artifacts.parent / "secret")
    (settings.artifacts / running.id / "dir").symlink_to(settings.artifacts.parent)
    (settings.artifacts.parent / "x").write_text("secret")
    play.tell(running, finished(_artifact(running, "odd", stored.format(job=running.id))))

    assert client.get(f"/v1/jobs/{running.id}/artifacts/odd").status_code == 404


@pytest.mark.parametrize("kind", ["gone", "folder", "pipe"])
def test_what_is_no_file_any_more_is_a_404(
    client: TestClient, job: Job, path: str, settings: Settings, kind: str
) -> None:
    file = settings.artifacts / job.id / "1" / "model.safetensors"
    file.unlink()
    if kind == "folder":
        file.mkdir()
    if kind == "pipe":
        os.mkfifo(file)

    assert client.get(path).status_code == 404


def test_downloads_leave_no_file_open(client: TestClient, path: str) -> None:
    descriptors = Path("/dev/fd")
    client.get(path)
    before = len(list(descriptors.iterdir()))
    for asked in ("bytes=0-9", "bytes=99999999-", "", "bytes=-"):
        client.get(path, headers={"Range": asked})
    assert len(list(descriptors.iterdir())) <= before
