"""The Python client against a real service."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import signal
import threading
from pathlib import Path

import pytest

import trainwire
from core.errors import BadRequest, NoServer, NotAllowed, NotFound, SpecRefused, TrainwireError, WrongStatus
from core.job import EventType, Reason, Status
from tests.acceptance.processes import up
from tests.trainwire.fakes import Answer, Scripted
from tests.trainwire.specs import DIVERGES, LASTING, LONG, QUICK, WRONG
from trainwire.client import Client
from trainwire.downloading import DownloadBroken


def test_the_package_offers_the_client() -> None:
    assert trainwire.Client is Client


def test_a_job_from_spec_to_weights(client: Client, tmp_path: Path) -> None:
    job = client.submit(QUICK)
    assert (job.name, job.spec["batch_size"]) == ("quick", 32)
    events = list(client.watch(job.id))
    stored = [event for event in events if event.seq is not None]
    assert [event.seq for event in stored] == list(range(1, len(stored) + 1))
    assert stored[-1].type is EventType.END
    assert client.events(job.id) == stored
    assert [row["epoch"] for row in client.metrics(job.id)] == [1, 2, 3]
    assert [row["epoch"] for row in client.metrics(job.id, after=2)] == [3]
    assert client.wait(job.id).status is Status.SUCCEEDED
    paths = client.download(job.id, tmp_path / "home")
    assert {path.name for path in paths} == {"model.safetensors", "model.json", "report.json"}
    for artifact in client.artifacts(job.id):
        assert hashlib.sha256((tmp_path / "home" / artifact.name).read_bytes()).hexdigest() == artifact.sha256
    assert sorted(tmp_path.glob("home/.*")) == []


def test_a_plan_is_a_job_without_one_and_a_probe_measures_it(client: Client) -> None:
    before = {job.id for job in client.jobs()}
    plan, tried = client.plan(LONG), client.plan(LONG, probe=True)
    assert plan.memory is not None
    assert tried.memory is not None
    assert (plan.spec, plan.memory.source) == (tried.spec, "arithmetic")
    assert (tried.memory.source, tried.memory.optimizer_bytes) == ("probe", plan.memory.optimizer_bytes + 16)
    assert tried.seconds is not None
    assert (tried.seconds.source, tried.seconds.total_s > 0) == ("probe", True)
    assert {job.id for job in client.jobs()} == before
    with pytest.raises(SpecRefused) as refused:
        client.plan(WRONG, probe=True)
    assert len(refused.value.problems) == 3


def test_what_a_job_came_to_is_told_in_a_report(client: Client) -> None:
    job = client.wait(client.submit(QUICK).id)
    report = client.report(job.id)
    last = client.metrics(job.id)[-1]
    assert report.epoch == last["epoch"]
    assert report.figures["loss"] == last["val_loss"]
    assert report.classes is not None
    assert sum(map(sum, report.classes.confusion.counts)) == report.samples


def test_a_job_that_goes_on_has_no_report_yet(client: Client) -> None:
    job = client.submit(LONG)
    with pytest.raises(WrongStatus, match="at the end of a run"):
        client.report(job.id)
    client.cancel(job.id, force=True)
    client.wait(job.id)
    with pytest.raises(NotFound, match="is cancelled"):
        client.report(job.id)


def test_a_wait_ends_with_the_job_or_with_its_time(client: Client) -> None:
    job = client.submit(LONG)
    with pytest.raises(TimeoutError, match=job.id):
        client.wait(job.id, timeout_s=0.1)
    ended: list[Status] = []
    waiting = threading.Thread(target=lambda: ended.append(client.wait(job.id).status))
    waiting.start()
    client.cancel(job.id)
    waiting.join(timeout=30)
    assert ended == [Status.CANCELLED]
    assert client.cancel(job.id).status is Status.CANCELLED


def test_jobs_are_listed_newest_first_across_pages(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trainwire.client.JOBS_PAGE", 2)
    ids = [client.submit({**QUICK, "name": "listed", "epochs": 1}).id for _ in range(5)]
    assert [job.id for job in client.jobs(name="listed")] == ids[::-1]
    assert [job.id for job in client.jobs(name="listed", limit=3)] == ids[:1:-1]
    for job_id in ids:
        client.wait(job_id)
    assert {job.status for job in client.jobs(status="succeeded", limit=1)} == {Status.SUCCEEDED}


def test_a_cost_that_is_not_finite_comes_as_it_was(client: Client) -> None:
    job = client.wait(client.submit(DIVERGES).id)
    assert (job.status, job.status_reason) == (Status.FAILED, Reason.DIVERGED)
    assert not math.isfinite(client.metrics(job.id)[-1]["train_loss"])


def test_a_refused_spec_lists_every_problem(client: Client) -> None:
    with pytest.raises(SpecRefused) as refused:
        client.submit(WRONG)
    assert {problem.pointer for problem in refused.value.problems} == {"/model", "/lr", "/epoch"}
    assert refused.value.problem["status"] == 422
    assert refused.value.problem["request_id"]


def test_refusals_are_told_apart(client: Client) -> None:
    nobody = "job_" + "0" * 32
    with pytest.raises(NotFound):
        client.job(nobody)
    with pytest.raises(NotFound):
        list(client.watch(nobody))
    done = client.wait(client.submit(QUICK).id)
    with pytest.raises(WrongStatus, match="succeeded"):
        client.cancel(done.id)
    with pytest.raises(BadRequest):
        list(client.jobs(status="finished"))


def test_the_catalogue_holds_every_kind_of_part(client: Client) -> None:
    catalog = client.catalog()
    assert "digits" in {part.name for part in catalog.datasets}
    assert "mlp" in {part.name for part in catalog.models}
    assert "hidden" in next(part for part in catalog.models if part.name == "mlp").settings["properties"]


@pytest.mark.full
def test_a_key_opens_a_service_that_asks_for_one(tmp_path: Path) -> None:
    with up(tmp_path, env={"TRAINWIRE_API_KEY": "sesame"}) as guarded:
        with Client(guarded.url, api_key="guess") as stranger, pytest.raises(NotAllowed):
            stranger.submit(QUICK)
        with Client(guarded.url, api_key="sesame") as friend:
            assert friend.submit(QUICK).name == "quick"


@pytest.mark.parametrize("sign", [signal.SIGKILL, pytest.param(signal.SIGTERM, marks=pytest.mark.full)])
def test_a_watch_goes_on_through_a_restart(tmp_path: Path, sign: signal.Signals) -> None:
    """The service ends in mid-job and comes back on the same port; the watcher sees every event once."""
    with up(tmp_path) as first:
        ours = Client(first.url)
        job = ours.submit(LASTING)
        events = ours.watch(job.id)
        seen = [next(event for event in events if event.type is EventType.EPOCH)]
        first.stop(sign)
    with ours, up(tmp_path, "--port", first.url.rpartition(":")[2]):
        seen += [event for event in events if event.seq is not None]
        assert ours.wait(job.id).status is Status.SUCCEEDED
        assert seen == ours.events(job.id, after=(seen[0].seq or 0) - 1)
        epochs = [event.data["epoch"] for event in seen if event.type is EventType.EPOCH]
        assert epochs == list(range(1, LASTING["epochs"] + 1))


def test_a_broken_download_is_said_and_leaves_nothing(scripted: Scripted, tmp_path: Path) -> None:
    file = {"name": "model.json", "media_type": "a/b", "bytes": 2, "sha256": "0" * 64, "url": "/file"}
    page = json.dumps({"data": [file], "has_more": False, "next": None}).encode()
    scripted.script = [Answer(body=page, media_type="application/json"), Answer(body=b"{}")]
    with Client(scripted.url) as ours, pytest.raises(DownloadBroken, match="SHA-256"):
        ours.download("job_1", tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("status", "body"), [(500, b"<html>"), (500, b'{"detail": "oh", "code": "internal_error"}')])
def test_an_answer_without_sense_is_still_our_error(scripted: Scripted, status: int, body: bytes) -> None:
    scripted.script = [Answer(status=status, body=body)]
    with Client(scripted.url) as ours, pytest.raises(TrainwireError):
        ours.job("job_1")


def test_events_are_values(client: Client) -> None:
    event = client.events(client.wait(client.submit(QUICK).id).id)[0]
    with pytest.raises(dataclasses.FrozenInstanceError):
        event.seq = 2  # type: ignore[misc]


@pytest.mark.parametrize("body", [b"<html>hello</html>", b"[]", b"{}"])
def test_what_is_not_trainwire_is_no_server(scripted: Scripted, body: bytes) -> None:
    scripted.script = [Answer(body=body, media_type="text/html")]
    with Client(scripted.url) as client:
        for ask in (
            lambda: client.job("job_1"),
            lambda: list(client.jobs()),
            lambda: client.metrics("job_1"),
            lambda: client.artifacts("job_1"),
            client.catalog,
        ):
            with pytest.raises(NoServer, match="something else"):
                ask()


def test_what_json_cannot_say_is_refused_before_it_is_sent(scripted: Scripted) -> None:
    with Client(scripted.url) as client, pytest.raises(BadRequest, match="JSON"):
        client.submit({"dataset": {"digits"}})
    assert scripted.asked == []


def test_an_id_cannot_lead_elsewhere(scripted: Scripted) -> None:
    scripted.script = [Answer(status=404)]
    with Client(scripted.url) as client:
        for odd in ("../catalog", "..", "a?b=c", "a#b"):
            with pytest.raises(NotFound):
                client.job(odd)
    assert [path for path, _ in scripted.asked] == [
        "/v1/jobs/%2E%2E%2Fcatalog",
        "/v1/jobs/%2E%2E",
        "/v1/jobs/a%3Fb%3Dc",
        "/v1/jobs/a%23b",
    ]


def test_a_service_that_goes_away_in_mid_download_is_no_server(scripted: Scripted, tmp_path: Path) -> None:
    file = {"name": "model.json", "media_type": "application/json", "bytes": 9, "sha256": "0", "url": "/there"}
    listed = Answer(body=json.dumps({"data": [file], "has_more": False}).encode())
    scripted.script = [listed, Answer(body=b"half", cut=True)]
    with Client(scripted.url) as client, pytest.raises(NoServer):
        client.download("job_1", tmp_path)
    assert list(tmp_path.iterdir()) == []
