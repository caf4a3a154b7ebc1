"""The verbs: each one repeatable, safe at every moment, and refused by name where the status forbids it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import httpx
import pytest
from fastapi.testclient import TestClient

from api.server import Server
from core.job import Job
from core.views import JobView
from tests.api.playing import Play, WorkBellFake, diverged, epoch, ids, sse
from tests.api.waiting import until

STREAM = {"Accept": "text/event-stream"}
VERBS = ("pause", "resume", "cancel")

Make = Callable[[Play, TestClient], Job]


def _asked(verb: str) -> Make:
    def make(play: Play, client: TestClient) -> Job:
        job = play.running()
        client.post(f"/v1/jobs/{job.id}/{verb}")
        return job

    return make


def _paused(play: Play, client: TestClient) -> Job:
    job = play.queued()
    client.post(f"/v1/jobs/{job.id}/pause")
    return job


def _cancelled(play: Play, client: TestClient) -> Job:
    job = play.queued()
    client.post(f"/v1/jobs/{job.id}/cancel")
    return job


def _failed(play: Play, _: TestClient) -> Job:
    job = play.running()
    play.tell(job, diverged())
    return job


JOBS: dict[str, Make] = {
    "queued": lambda play, _: play.queued(),
    "running": lambda play, _: play.running(),
    "pausing": _asked("pause"),
    "paused": _paused,
    "cancelling": _asked("cancel"),
    "succeeded": lambda play, _: play.ended(),
    "failed": _failed,
    "cancelled": _cancelled,
}
BECOMES: dict[str, dict[str, tuple[int, str]]] = {
    "queued": {"pause": (200, "paused"), "resume": (200, "queued"), "cancel": (200, "cancelled")},
    "running": {"pause": (202, "pausing"), "resume": (200, "running"), "cancel": (202, "cancelling")},
    "pausing": {"pause": (202, "pausing"), "resume": (200, "running"), "cancel": (202, "cancelling")},
    "paused": {"pause": (200, "paused"), "resume": (200, "queued"), "cancel": (200, "cancelled")},
    "cancelling": {"cancel": (202, "cancelling")},
    "succeeded": {},
    "failed": {},
    "cancelled": {"cancel": (200, "cancelled")},
}


@pytest.mark.parametrize("status", JOBS)
@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_in_every_status_does_what_the_table_says(
    client: TestClient, play: Play, status: str, verb: str
) -> None:
    job = JOBS[status](play, client)
    assert client.get(f"/v1/jobs/{job.id}").json()["status"] == status

    becomes = BECOMES[status].get(verb)
    for _ in range(2):
        answer = client.post(f"/v1/jobs/{job.id}/{verb}")
        if becomes is None:
            assert (answer.status_code, answer.json()["code"]) == (409, "wrong_status")
            assert status in answer.json()["detail"]
        else:
            shown = JobView.model_validate_json(answer.content)
            assert (answer.status_code, shown.status) == becomes
            assert answer.headers["ETag"] == client.get(f"/v1/jobs/{job.id}").headers["ETag"]


def test_a_repeated_verb_leaves_no_second_trace(client: TestClient, play: Play) -> None:
    path = f"/v1/jobs/{play.queued().id}"

    for verb in ("pause", "pause", "resume", "resume", "cancel", "cancel"):
        client.post(f"{path}/{verb}")
    moves = [(one["status"], one["reason"], one["by"]) for one in client.get(path).json()["transitions"]]
    assert moves == [
        ("queued", None, "user"),
        ("paused", "paused_by_user", "user"),
        ("queued", None, "user"),
        ("cancelled", "cancelled_by_user", "user"),
    ]


def test_a_paused_run_is_not_claimed_and_goes_on_when_resumed(
    client: TestClient, play: Play, work_bell: WorkBellFake
) -> None:
    job = play.running()
    assert client.post(f"/v1/jobs/{job.id}/pause").status_code == 202
    assert play.stop(job).status == "paused"

    work_bell.rung.clear()
    resumed = client.post(f"/v1/jobs/{job.id}/resume").json()
    assert (resumed["status"], resumed["queue"]["position"]) == ("queued", 1)
    assert work_bell.rung == [None], "a worker looks at once"


def test_a_pause_taken_back_in_time_rings_no_worker(client: TestClient, play: Play, work_bell: WorkBellFake) -> None:
    job = play.running()
    for verb in ("pause", "resume"):
        client.post(f"/v1/jobs/{job.id}/{verb}")
    assert play.store.job(job.id).status == "running"
    assert work_bell.rung == []


def test_force_is_for_a_cancelling_job_too(client: TestClient, play: Play) -> None:
    job = play.running()
    path = f"/v1/jobs/{job.id}/cancel"

    assert client.post(path).status_code == 202
    answers = [client.post(f"{path}?force=true") for _ in range(2)]
    assert [(one.status_code, one.json()["status"]) for one in answers] == [(202, "cancelling")] * 2
    assert client.post(f"{path}?force=perhaps").json()["errors"][0]["pointer"] == "/query/force"
    assert client.post(f"{path}?forse=true").json()["errors"][0]["pointer"] == "/query/forse"


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_on_no_job_is_a_404(client: TestClient, verb: str) -> None:
    for job_id in ("job_1", "nonsense", "job_" + "0" * 32, "%00", "job_%ff"):
        assert client.post(f"/v1/jobs/{job_id}/{verb}").status_code == 404


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_is_posted(client: TestClient, play: Play, verb: str) -> None:
    answer = client.get(f"/v1/jobs/{play.queued().id}/{verb}")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")


def test_an_open_stream_shows_each_verb_at_once(server: Server, http: httpx.Client, play: Play) -> None:
    job = play.running()
    with http.stream("GET", f"/v1/jobs/{job.id}/events", headers=STREAM) as answer:
        text = answer.iter_text()
        until(lambda: server.hub.watchers == 1)
        for verb, status in (("pause", "pausing"), ("resume", "running"), ("cancel", "cancelling")):
            http.post(f"/v1/jobs/{job.id}/{verb}")
            while f'"status":"{status}"' not in next(text):
                pass
        assert play.stop(job).status == "cancelled"
        rest = sse("".join(text))
    assert rest[-1]["event"] == "end"
    assert '"reason":"cancelled_by_user"' in rest[-1]["data"]


def test_verbs_from_everywhere_at_once_leave_one_clean_history(server: Server, play: Play) -> None:
    job = play.running()
    going = threading.Event()

    def train() -> None:
        for number in range(1, 30):
            play.tell(job, epoch(number))
        going.set()

    async def hurry() -> set[int]:
        async with httpx.AsyncClient(base_url=server.url, timeout=30, trust_env=False) as client:
            asked = [client.post(f"/v1/jobs/{job.id}/{verb}") for verb in ("pause", "resume") * 20]
            return {answer.status_code for answer in await asyncio.gather(*asked)}

    worker = threading.Thread(target=train)
    worker.start()
    statuses = asyncio.run(hurry())
    assert going.wait(30)
    worker.join()
    assert statuses <= {200, 202}
    log = play.store.events(job.id)
    assert [event.seq for event in log] == list(range(1, play.store.job(job.id).version + 1))
    moves = [one.status for one in play.store.job(job.id).transitions][2:]
    assert moves == ["pausing", "running"] * (len(moves) // 2) + ["pausing"] * (len(moves) % 2)


def test_a_resumed_stream_sees_every_status_once(http: httpx.Client, play: Play) -> None:
    job = play.running()
    for verb in ("pause", "resume", "cancel"):
        http.post(f"/v1/jobs/{job.id}/{verb}")
    play.stop(job)
    seen = ids(sse(http.get(f"/v1/jobs/{job.id}/events", headers=STREAM).text))
    assert seen == list(range(1, play.store.job(job.id).version + 1))
