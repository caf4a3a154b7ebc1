"""The checkpoints of a job over HTTP."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from core.views import CheckpointPage
from tests.api.playing import Play, checkpointed, epoch


def test_checkpoints_are_told_newest_first_with_their_files(client: TestClient, play: Play) -> None:
    job = play.running()
    play.tell(job, epoch(1), checkpointed("a", epoch=1), checkpointed("b", epoch=1, step=7))

    page = CheckpointPage.model_validate_json(client.get(f"/v1/jobs/{job.id}/checkpoints").content)
    assert [(one.epoch, one.step, one.attempt) for one in page.data] == [(1, 7, 1), (1, 0, 1)]
    newest = page.data[0]
    assert newest.id.startswith("ckpt_")
    assert newest.bytes == 11440 == sum(file.bytes for file in newest.files)
    assert {file.name: file.sha256 for file in newest.files} == {"model.safetensors": "a" * 64, "state.pt": "b" * 64}
    assert newest.created_at is not None
    assert not page.has_more


def test_a_job_without_checkpoints_has_an_empty_list(client: TestClient, play: Play) -> None:
    assert client.get(play_path(play)).json() == {"data": [], "has_more": False, "next": None}


def play_path(play: Play) -> str:
    return f"/v1/jobs/{play.queued().id}/checkpoints"


def test_the_log_tells_a_checkpoint_when_it_counts(client: TestClient, play: Play) -> None:
    job = play.running()
    play.tell(job, checkpointed("a", epoch=1))

    told = [one for one in client.get(f"/v1/jobs/{job.id}/events").json()["data"] if one["type"] == "checkpoint"]
    (listed,) = client.get(f"/v1/jobs/{job.id}/checkpoints").json()["data"]
    assert [one["data"]["epoch"] for one in told] == [listed["epoch"]]


@pytest.mark.parametrize("made", ["retry", "fork"])
def test_a_new_job_begins_with_the_checkpoints_of_its_parent(client: TestClient, play: Play, made: str) -> None:
    old = play.failed(after=2)
    new = client.post(f"/v1/jobs/{old.id}/{made}").json()

    theirs, ours = (client.get(f"/v1/jobs/{one}/checkpoints").json()["data"] for one in (old.id, new["id"]))
    assert [one["epoch"] for one in theirs] == [2, 1]
    assert [one["id"] for one in ours] == [one["id"] for one in theirs]


def test_a_job_says_whether_it_is_exact(client: TestClient, play: Play) -> None:
    shown = client.get(f"/v1/jobs/{play.running().id}").json()
    assert (shown["bit_exact"], shown["bit_exact_reason"]) == (True, None)
