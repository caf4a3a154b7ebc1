"""HEAD answers as GET does, without a body and without waiting for what streams."""

from __future__ import annotations

import hashlib

import httpx
import pytest

from api.server import Server
from core.job import Artifact
from core.settings import Settings
from tests.api.playing import Play, finished
from tests.api.waiting import until

UNLIKE = {"date", "x-request-id", "transfer-encoding"}


def _headers(answer: httpx.Response) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name not in UNLIKE}


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/docs",
        "/healthz",
        "/static/style.css",
        "/v1/catalog",
        "/v1/jobs",
        "/v1/jobs?limit=0",
        "/v1/jobs/{id}",
        "/v1/jobs/{id}/events",
        "/v1/jobs/{id}/metrics?format=csv",
        "/v1/jobs/{id}/checkpoints",
        "/v1/jobs/{id}/pause",
        "/v1/jobs/job_x",
        "/nothing",
    ],
)
def test_head_has_the_status_and_headers_of_get(http: httpx.Client, play: Play, path: str) -> None:
    path = path.format(id=play.ended().id)
    head, get = http.head(path), http.get(path)

    assert (head.status_code, head.content) == (get.status_code, b"")
    assert _headers(head) == _headers(get)


def test_head_of_an_artifact_tells_its_size_and_tag(http: httpx.Client, play: Play, settings: Settings) -> None:
    weights = b"w" * 1_000_000
    job = play.running()
    folder = settings.artifacts / job.id / "1"
    folder.mkdir(parents=True)
    (folder / "w").write_bytes(weights)
    sha256 = hashlib.sha256(weights).hexdigest()
    play.tell(job, finished(Artifact("w", f"{job.id}/1/w", "text/plain", len(weights), sha256)))

    path = f"/v1/jobs/{job.id}/artifacts/w"
    whole, part = http.head(path), http.head(path, headers={"Range": "bytes=5-9"})
    assert (whole.status_code, whole.headers["Content-Length"], whole.headers["ETag"]) == (
        200,
        "1000000",
        f'"{sha256}"',
    )
    assert (part.status_code, part.headers["Content-Range"]) == (206, "bytes 5-9/1000000")
    assert http.head(path, headers={"If-None-Match": whole.headers["ETag"]}).status_code == 304


def test_head_of_a_live_stream_ends_at_once(server: Server, http: httpx.Client, play: Play) -> None:
    job = play.running()
    answer = http.head(f"/v1/jobs/{job.id}/events", headers={"Accept": "text/event-stream"})

    assert answer.headers["Content-Type"].startswith("text/event-stream")
    until(lambda: server.hub.watchers == 0)
