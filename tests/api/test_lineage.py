"""Retry and fork: a new job with a parent, and the old one as it was."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from fastapi.testclient import TestClient

from core.views import JobView
from tests.api.playing import SPEC, Play, WorkBellFake, epoch, started


def _pointers(answer: Any) -> list[str]:
    return [one["pointer"] for one in answer.json()["errors"]]


def test_a_failed_job_is_tried_again_from_its_last_checkpoint(
    client: TestClient, play: Play, work_bell: WorkBellFake
) -> None:
    old = play.failed(after=2)
    before = client.get(f"/v1/jobs/{old.id}").json()

    answer = client.post(f"/v1/jobs/{old.id}/retry")
    new = JobView.model_validate_json(answer.content)
    assert answer.status_code == 202
    assert answer.headers["Location"] == f"/v1/jobs/{new.id}" == new.links.self
    assert answer.headers["ETag"] == client.get(new.links.self).headers["ETag"]
    assert new.id != old.id
    assert (new.status, new.spec, new.attempt) == ("queued", before["spec"], 0)
    assert new.parent is not None
    assert (new.parent.id, new.parent.epoch) == (old.id, 2)
    assert new.queue.position == 1
    assert work_bell.rung == [None]
    assert client.get(f"/v1/jobs/{old.id}").json() == before


def test_a_retry_can_begin_again(client: TestClient, play: Play) -> None:
    old = play.failed()

    parents = {
        begin: client.post(f"/v1/jobs/{old.id}/retry", json={"from": begin}).json()["parent"]
        for begin in ("start", "checkpoint")
    }
    assert parents == {"start": {"id": old.id, "epoch": 0}, "checkpoint": {"id": old.id, "epoch": 2}}


def test_a_cancelled_job_can_be_tried_again(client: TestClient, play: Play) -> None:
    old = play.queued()
    client.post(f"/v1/jobs/{old.id}/cancel")

    new = client.post(f"/v1/jobs/{old.id}/retry").json()
    assert new["parent"] == {"id": old.id, "epoch": 0}


@pytest.mark.parametrize("status", ["queued", "running", "succeeded"])
def test_only_what_ended_badly_can_be_tried_again(client: TestClient, play: Play, status: str) -> None:
    job = {"queued": play.queued, "running": play.running, "succeeded": play.ended}[status]()

    answer = client.post(f"/v1/jobs/{job.id}/retry")
    assert (answer.status_code, answer.json()["code"]) == (409, "wrong_status")
    assert status in answer.json()["detail"]


def test_a_fork_differs_by_its_patch_from_its_epoch_on(client: TestClient, play: Play, work_bell: WorkBellFake) -> None:
    old = play.failed(after=3)
    before = client.get(f"/v1/jobs/{old.id}").json()

    answer = client.post(f"/v1/jobs/{old.id}/fork", json={"epoch": 2, "patch": {"lr": 0.01, "epochs": 9}})
    new = JobView.model_validate_json(answer.content)
    assert answer.status_code == 202
    assert answer.headers["Location"] == f"/v1/jobs/{new.id}"
    assert new.parent is not None
    assert (new.parent.id, new.parent.epoch) == (old.id, 2)
    assert new.spec == {**before["spec"], "lr": 0.01, "epochs": 9}
    assert work_bell.rung == [None]
    assert client.get(f"/v1/jobs/{old.id}").json() == before


@pytest.mark.parametrize("body", [None, {}, {"epoch": None}, {"patch": {}}])
def test_a_fork_without_more_words_begins_behind_the_newest_epoch(client: TestClient, play: Play, body: Any) -> None:
    job = play.running()
    play.tell(job, epoch(1), epoch(2))

    new = client.post(f"/v1/jobs/{job.id}/fork", json=body).json()
    assert new["parent"] == {"id": job.id, "epoch": 2}
    assert new["spec"] == client.get(f"/v1/jobs/{job.id}").json()["spec"]


def test_a_job_without_epochs_is_forked_at_its_start(client: TestClient, play: Play) -> None:
    job = play.queued()
    fork = client.post(f"/v1/jobs/{job.id}/fork", json={"patch": {"lr": 0.5}}).json()

    assert (fork["parent"], fork["spec"]["lr"]) == ({"id": job.id, "epoch": 0}, 0.5)


def test_a_fork_takes_over_what_its_parent_found(client: TestClient, play: Play) -> None:
    old = play.running(lr="auto", batch_size="auto")
    assert client.get(f"/v1/jobs/{old.id}").json()["resolved"] is None
    early = client.post(f"/v1/jobs/{old.id}/fork", json={"patch": {"lr": 0.5}})
    assert (early.status_code, _pointers(early)) == (422, ["/patch/batch_size"])

    play.tell(old, replace(started(), resolved={"lr": 0.0123, "batch_size": 256}), epoch(1))
    shown = client.get(f"/v1/jobs/{old.id}").json()
    assert shown["resolved"] == {"lr": 0.0123, "batch_size": 256}
    assert (shown["spec"]["lr"], shown["spec"]["batch_size"]) == ("auto", "auto")
    new = client.post(f"/v1/jobs/{old.id}/fork", json={"patch": {"lr": 0.5}}).json()
    assert (new["spec"]["lr"], new["spec"]["batch_size"], new["resolved"]) == (0.5, 256, None)


def test_a_fork_of_a_fork_begins_where_its_parent_does_or_later(client: TestClient, play: Play) -> None:
    old = play.failed(after=3)
    fork = client.post(f"/v1/jobs/{old.id}/fork", json={"epoch": 2}).json()

    again = client.post(f"/v1/jobs/{fork['id']}/fork").json()
    assert again["parent"] == {"id": fork["id"], "epoch": 2}
    early = client.post(f"/v1/jobs/{fork['id']}/fork", json={"epoch": 1})
    assert (early.status_code, _pointers(early)) == (422, ["/epoch"])


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({"epoch": 99}, ["/epoch"]),
        ({"epoch": -1}, ["/epoch"]),
        ({"epoch": 1.5}, ["/epoch"]),
        ({"epoch": "2"}, ["/epoch"]),
        ({"epoch": 10**30}, ["/epoch"]),
        ({"patch": []}, ["/patch"]),
        ({"epochs": 2}, ["/epochs"]),
        ({"epoch": 2, "patch": {"dataset": "iris"}}, ["/patch/dataset"]),
        ({"epoch": 2, "patch": {"lr": -1, "epoch": 3}}, ["/patch/epoch", "/patch/lr"]),
        ([], [""]),
    ],
)
def test_what_is_wrong_with_a_fork_is_named(client: TestClient, play: Play, body: Any, pointers: list[str]) -> None:
    old = play.failed(after=3)
    answer = client.post(f"/v1/jobs/{old.id}/fork", json=body)

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_spec")
    assert sorted(_pointers(answer)) == pointers
    assert len(client.get("/v1/jobs").json()["data"]) == 1


def test_an_epoch_that_is_not_there_is_told_with_those_that_are(client: TestClient, play: Play) -> None:
    old = play.failed(after=3)
    (problem,) = client.post(f"/v1/jobs/{old.id}/fork", json={"epoch": 4}).json()["errors"]

    assert "0" in problem["message"]
    assert "3" in problem["message"]


@pytest.mark.parametrize("body", [{"from": "middle"}, {"from": None}, {"form": "start"}, {"start": "start"}, "start"])
def test_what_is_wrong_with_a_retry_is_named(client: TestClient, play: Play, body: Any) -> None:
    answer = client.post(f"/v1/jobs/{play.failed().id}/retry", json=body)

    name = next(iter(body)) if isinstance(body, dict) else ""
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_spec")
    assert _pointers(answer) == [f"/{name}" if name else ""]


def test_a_misspelt_word_is_answered_with_the_right_one(client: TestClient, play: Play) -> None:
    answer = client.post(f"/v1/jobs/{play.failed().id}/retry", json={"form": "start"})
    assert answer.json()["detail"] == '"form" is not a setting of a retry. Did you mean "from"?'


@pytest.mark.parametrize("verb", ["retry", "fork"])
def test_a_new_job_from_no_job_is_a_404(client: TestClient, verb: str) -> None:
    for job_id in ("job_1", "nonsense", "job_" + "0" * 32, "%00", "job_%ff"):
        assert client.post(f"/v1/jobs/{job_id}/{verb}").status_code == 404


@pytest.mark.parametrize("verb", ["retry", "fork"])
@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"", None, 202),
        (b"", "application/json", 202),
        (b"null", "application/json", 202),
        (b"{}", "text/plain", 415),
        (b"{", "application/json", 400),
        (b'{"patch": ' + b"[" * 5000, "application/json", 400),
        (b'{"patch": {"lr": 1, "lr": 2}}', "application/json", 422),
    ],
)
def test_a_body_may_be_missing_but_not_be_nonsense(  # noqa: PLR0917
    client: TestClient, play: Play, verb: str, body: bytes, kind: str | None, status: int
) -> None:
    path = f"/v1/jobs/{play.failed().id}/{verb}"
    answer = client.post(path, content=body, headers={} if kind is None else {"Content-Type": kind})
    assert answer.status_code == status


def test_odd_values_in_a_patch_are_refused_and_never_a_500(client: TestClient, play: Play) -> None:
    path = f"/v1/jobs/{play.failed().id}/fork"
    json = {"Content-Type": "application/json"}

    for odd in (
        b'{"patch": {"lr": NaN}}',
        b'{"patch": {"lr": 1e999}}',
        b'{"patch": {"name": "\\ud800"}}',
        b'{"patch": {"\\ud800": 1}}',
        b'{"patch": {"name": "\\u0000"}}',
        b'{"patch": {"labels": {"\\u0000": "a"}}}',
        b'{"patch": {"epochs": ' + b"9" * 400 + b"}}",
        b'{"patch": {"model": {"hidden": [[[[]]]]}}}',
        b'{"patch": {"optimizer": []}}',
        b'{"patch": {"dataset": null}}',
    ):
        answer = client.post(path, content=odd, headers=json)
        assert answer.status_code == 422, odd
        assert all(pointer.startswith("/patch") for pointer in _pointers(answer)), answer.json()


def test_the_family_is_listed_like_any_job(client: TestClient, play: Play) -> None:
    old = play.failed(name="one", labels={"team": "a"})
    fork = client.post(f"/v1/jobs/{old.id}/fork", json={"patch": {"labels": {"stage": "b"}}}).json()

    found = client.get("/v1/jobs?label=team:a&label=stage:b").json()["data"]
    assert [job["id"] for job in found] == [fork["id"]]
    assert SPEC["epochs"] == fork["spec"]["epochs"]
