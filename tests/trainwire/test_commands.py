"""What the commands that steer and make jobs send, and what they print."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from tests.trainwire.fakes import Answer, Scripted, job_body
from tests.trainwire.warm import trainwire

FORKED = job_body(id="job_2", parent={"id": "job_1", "epoch": 4})


@pytest.mark.parametrize(
    ("arguments", "path"),
    [
        (("pause",), "/v1/jobs/job_1/pause"),
        (("resume",), "/v1/jobs/job_1/resume"),
        (("cancel",), "/v1/jobs/job_1/cancel"),
        (("cancel", "--force"), "/v1/jobs/job_1/cancel?force=true"),
    ],
)
def test_a_verb_says_how_the_job_stands(scripted: Scripted, arguments: tuple[str, ...], path: str) -> None:
    scripted.script = [Answer(body=job_body(status="paused"))]
    done = trainwire(*arguments, "job_1", "--url", scripted.url)
    assert (done.returncode, done.stdout) == (0, "job_1 paused\n")
    assert [asked for asked, _ in scripted.asked] == [path]


def test_a_fork_sends_epoch_and_patch_and_says_where_it_begins(scripted: Scripted) -> None:
    scripted.script = [Answer(status=202, body=FORKED)]
    done = trainwire(
        "fork",
        "job_1",
        "--epoch",
        "4",
        "--set",
        "lr=0.01",
        "--patch",
        "-",
        "--url",
        scripted.url,
        given='{"epochs": 9}',
    )
    assert done.stdout.splitlines() == [
        "job_2 queued: quick, behind epoch 4 of job_1",
        "Watch it: trainwire watch job_2",
    ]
    assert json.loads(scripted.bodies[0]) == {"epoch": 4, "patch": {"epochs": 9, "lr": 0.01}}


def test_a_retry_begins_where_it_is_told_to(scripted: Scripted) -> None:
    scripted.script = [Answer(status=202, body=FORKED)]
    assert json.loads(trainwire("retry", "job_1", "--json", "--url", scripted.url).stdout)["id"] == "job_2"
    trainwire("retry", "job_1", "--from-start", "--url", scripted.url)
    assert [json.loads(body)["from"] for body in scripted.bodies] == ["checkpoint", "start"]


def test_a_refused_patch_shows_every_problem(scripted: Scripted) -> None:
    problem = {"pointer": "/patch/dataset", "message": "Other data.", "allowed": ["digits"]}
    refused = {"code": "invalid_spec", "detail": "no", "errors": [problem]}
    scripted.script = [Answer(status=422, body=json.dumps(refused).encode())]
    done = trainwire("fork", "job_1", "--set", "dataset=iris", "--url", scripted.url)
    assert done.returncode == 2
    assert done.stderr.splitlines()[1] == "  /patch/dataset  Other data."


def test_checkpoints_are_listed(scripted: Scripted) -> None:
    one = {"id": "ckpt_1", "epoch": 3, "step": 0, "occasion": "epoch", "attempt": 1, "bytes": 2048, "files": []}
    scripted.script = [Answer(body=json.dumps({"data": [one], "has_more": False}).encode())]
    done = trainwire("checkpoints", "job_1", "--url", scripted.url)
    assert done.stdout.splitlines()[1].split() == ["ckpt_1", "3", "0", "epoch", "1", "2.0", "kB"]
    as_json = trainwire("checkpoints", "job_1", "--json", "--url", scripted.url)
    assert json.loads(as_json.stdout)["data"][0]["id"] == "ckpt_1"


def test_a_deleted_job_is_said_to_be_gone(scripted: Scripted) -> None:
    scripted.script = [Answer(status=204), Answer(status=410, body=b'{"code": "gone", "detail": "job_1 was deleted."}')]
    assert trainwire("delete", "job_1", "--url", scripted.url).stdout == "job_1 deleted\n"
    shown = trainwire("show", "job_1", "--url", scripted.url)
    assert (shown.returncode, shown.stderr) == (2, "job_1 was deleted.\n")


def test_an_export_is_asked_for_and_brought_home(scripted: Scripted, tmp_path: Path) -> None:
    graph = b"a graph"
    file = {
        "name": "model.onnx",
        "media_type": "application/octet-stream",
        "bytes": len(graph),
        "sha256": hashlib.sha256(graph).hexdigest(),
        "url": "/v1/jobs/job_1/artifacts/model.onnx",
    }
    scripted.script = [Answer(status=201, body=json.dumps(file).encode()), Answer(body=graph)]
    done = trainwire("export", "job_1", "--format", "onnx", "--to", str(tmp_path), "--url", scripted.url)
    assert done.stdout == f"{tmp_path / 'model.onnx'}\n"
    assert (tmp_path / "model.onnx").read_bytes() == graph
    assert [path for path, _ in scripted.asked] == ["/v1/jobs/job_1/export", file["url"]]
    assert json.loads(scripted.bodies[0]) == {"format": "onnx"}


def test_a_model_that_cannot_be_exported_is_told_with_the_reason(scripted: Scripted) -> None:
    told = {"code": "export_refused", "detail": "torch.export cannot follow this model: …", "errors": []}
    scripted.script = [Answer(status=422, body=json.dumps(told).encode())]
    done = trainwire("export", "job_1", "--format", "pt2", "--url", scripted.url)
    assert (done.returncode, done.stderr.strip()) == (2, told["detail"])
