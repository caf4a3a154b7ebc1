"""DELETE: an ended job goes whole, and every route says that it is gone."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from fastapi.testclient import TestClient

from api.server import Server
from core.job import Artifact, Job
from core.settings import Settings
from tests.api.playing import Play, epoch, finished
from tests.api.waiting import until, until_watched

STREAM = {"Accept": "text/event-stream"}
ROUTES = [
    ("GET", ""),
    ("GET", "/metrics"),
    ("GET", "/metrics?format=csv"),
    ("GET", "/events"),
    ("GET", "/events?after=1000"),
    ("GET", "/logs"),
    ("GET", "/checkpoints"),
    ("GET", "/artifacts"),
    ("GET", "/artifacts/model.json"),
    ("POST", "/pause"),
    ("POST", "/resume"),
    ("POST", "/cancel"),
    ("POST", "/retry"),
    ("POST", "/fork"),
]


def _with_files(play: Play, settings: Settings) -> Job:
    job = play.running()
    folder = settings.artifacts / job.id / "1"
    folder.mkdir(parents=True)
    (folder / "model.json").write_text("{}")
    play.tell(
        job, epoch(1), finished(Artifact("model.json", f"{job.id}/1/model.json", "application/json", 2, "0" * 64))
    )
    return play.store.job(job.id)


def test_an_ended_job_goes_with_its_files(client: TestClient, play: Play, settings: Settings) -> None:
    job, other = _with_files(play, settings), _with_files(play, settings)

    for _ in range(2):
        answer = client.delete(f"/v1/jobs/{job.id}")
        assert (answer.status_code, answer.content) == (204, b"")
    assert [one["id"] for one in client.get("/v1/jobs").json()["data"]] == [other.id]
    assert not (settings.artifacts / job.id).exists()
    assert (settings.artifacts / other.id / "1" / "model.json").exists()


@pytest.mark.parametrize(("method", "room"), ROUTES)
def test_every_route_of_a_deleted_job_says_that_it_is_gone(
    client: TestClient, play: Play, method: str, room: str
) -> None:
    job = play.ended()
    client.delete(f"/v1/jobs/{job.id}")

    answer = client.request(method, f"/v1/jobs/{job.id}{room}")
    assert (answer.status_code, answer.json()["code"]) == (410, "gone")
    assert job.id in answer.json()["detail"]
    assert client.head(f"/v1/jobs/{job.id}{room}").status_code == (410 if method == "GET" else 405)


@pytest.mark.parametrize("room", ["events", "logs"])
@pytest.mark.parametrize("last", ["", "3", "1000"])
def test_a_browser_that_comes_back_to_a_deleted_job_stops_asking(
    client: TestClient, play: Play, room: str, last: str
) -> None:
    job = play.ended()
    client.delete(f"/v1/jobs/{job.id}")

    answer = client.get(f"/v1/jobs/{job.id}/{room}", headers={**STREAM, "Last-Event-ID": last})
    assert (answer.status_code, answer.headers["Content-Type"]) == (410, "application/problem+json")


@pytest.mark.parametrize("status", ["queued", "running", "paused"])
def test_a_job_that_has_not_ended_stays(client: TestClient, play: Play, status: str) -> None:
    job = play.running() if status == "running" else play.queued()
    if status == "paused":
        client.post(f"/v1/jobs/{job.id}/pause")

    answer = client.delete(f"/v1/jobs/{job.id}")
    assert (answer.status_code, answer.json()["code"]) == (409, "wrong_status")
    assert status in answer.json()["detail"]
    assert client.get(f"/v1/jobs/{job.id}").status_code == 200


def test_nothing_there_cannot_be_deleted(client: TestClient) -> None:
    for job_id in ("job_1", "nonsense", "job_" + "0" * 32, "%00", "job_%ff"):
        assert client.delete(f"/v1/jobs/{job_id}").status_code == 404


def test_a_fork_outlives_its_parent_and_keeps_the_checkpoints_it_begins_with(
    client: TestClient, play: Play, settings: Settings
) -> None:
    old = play.failed(after=2)
    shared = settings.artifacts / old.id / "checkpoints" / "1"
    for number in (1, 2):
        (shared / f"{number:06d}-00000000").mkdir(parents=True)
        (shared / f"{number:06d}-00000000" / "state.pt").write_bytes(b"state")
    fork = client.post(f"/v1/jobs/{old.id}/fork", json={"epoch": 1}).json()

    assert client.delete(f"/v1/jobs/{old.id}").status_code == 204
    assert client.get(f"/v1/jobs/{fork['id']}").json()["parent"] == {"id": old.id, "epoch": 1}
    assert (shared / "000001-00000000" / "state.pt").exists()
    assert not (shared / "000002-00000000").exists()


def test_files_that_cannot_go_now_do_not_keep_the_job(
    client: TestClient, play: Play, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = _with_files(play, settings)

    def fail(*_: object, **__: object) -> None:
        raise PermissionError("read-only")

    monkeypatch.setattr("api.routes.verbs.remove_files", fail)
    assert client.delete(f"/v1/jobs/{job.id}").status_code == 204
    assert client.get(f"/v1/jobs/{job.id}").status_code == 410


@pytest.mark.parametrize("rung", [True, False], ids=["rung", "by another process"])
def test_an_open_stream_of_a_deleted_job_ends(server: Server, http: httpx.Client, play: Play, *, rung: bool) -> None:
    job = play.running()
    with http.stream("GET", f"/v1/jobs/{job.id}/logs", headers=STREAM) as answer:
        text = answer.iter_text()
        assert "retry" in next(text)
        until(lambda: server.hub.watchers == 1)
        play.store.cancel(job.id)
        play.store.release(play.claims[job.id])
        if rung:
            http.delete(f"/v1/jobs/{job.id}")
        else:
            play.store.delete(job.id)
        assert "event: end" not in "".join(text)
    assert http.get(f"/v1/jobs/{job.id}/logs", headers=STREAM).status_code == 410


@pytest.mark.parametrize("room", ["", "/metrics?after=5", "/events?after=1000", "/logs"])
def test_a_long_poll_of_a_job_that_is_deleted_meanwhile_is_answered(client: TestClient, play: Play, room: str) -> None:
    job = play.running()
    path = f"/v1/jobs/{job.id}{room}"
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(client.get, f"{path}{'&' if '?' in path else '?'}wait=30")
        until_watched(client)
        play.store.cancel(job.id)
        play.store.release(play.claims[job.id])
        client.delete(f"/v1/jobs/{job.id}")
        assert waiting.result(timeout=60).status_code in {200, 410}
    assert client.get(path).status_code == 410


def test_deleting_under_many_readers_never_answers_with_a_500(server: Server, play: Play) -> None:
    jobs = [play.ended(epochs=3) for _ in range(10)]
    rooms = ("", "/metrics", "/metrics?format=csv", "/events", "/logs", "/artifacts", "/checkpoints")

    async def everyone() -> set[int]:
        async with httpx.AsyncClient(base_url=server.url, timeout=30, trust_env=False) as client:
            asked = [client.get(f"/v1/jobs/{job.id}{room}") for job in jobs for room in rooms]
            gone = [client.delete(f"/v1/jobs/{job.id}") for job in jobs]
            return {answer.status_code for answer in await asyncio.gather(*asked, *gone)}

    assert asyncio.run(everyone()) <= {200, 204, 410}
