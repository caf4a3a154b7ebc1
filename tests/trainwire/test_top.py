"""All jobs and workers at a glance: what is known, how it looks at each width, and how one leaves."""

from __future__ import annotations

import io
import json
import os
import pty
import subprocess
import sys
from typing import Any

import httpx
import pytest
from rich.console import Console

from core.job import Status
from core.views import ChangeType, CurvesView, JobView, WorkerView
from tests.acceptance.processes import HOUSE, environment, wait_until
from tests.trainwire.fakes import job_body
from tests.trainwire.specs import QUICK
from tests.trainwire.warm import trainwire
from trainwire.changes import Change
from trainwire.client import Client
from trainwire.overview import Overview
from trainwire.overview_table import overview_table

RUNNING: dict[str, Any] = {
    "status": "running",
    "spec": {"epochs": 40},
    "progress": {"epoch": 13, "epochs": 40, "step": 0, "steps": 45, "eta_s": 3723.4},
    "latest": {"epoch": 12, "train_loss": 0.25, "val_loss": 0.5},
    "worker": {"name": "node-a", "device": "cuda:1"},
}


def a_job(**changes: Any) -> JobView:
    return JobView.model_validate_json(job_body(**changes))


def changed(**changes: Any) -> Change:
    job = a_job(**changes)
    return Change(ChangeType.JOB, job.model_dump(mode="json"), "c", job.id)


def shown(overview: Overview, *, width: int, rows: int | None = None) -> list[str]:
    console = Console(file=io.StringIO(), width=width, color_system=None)
    console.print(overview_table(overview, width=width, rows=rows))
    assert isinstance(console.file, io.StringIO)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


@pytest.fixture
def overview() -> Overview:
    made = Overview(workers=[WorkerView(id="w", name="node-a", devices=["cpu"], slots=4, queues=[], jobs=["job_1"])])
    curve = {"train_loss": [4.0, 3.0, 2.0], "val_loss": [3.0, 2.0, 1.0]}
    made.fill([a_job(id="job_2")], [CurvesView(job="job_1", status=Status.RUNNING, epochs=[1, 5, 11], figures=curve)])
    made.take(changed(**RUNNING))
    ended = {"status": "succeeded", "finished_at": "2026-11-23T04:05:06Z", "name": "a" * 60}
    made.take(changed(**{**RUNNING, **ended, "id": "job_0"}))
    return made


def test_what_runs_stands_above_what_waits_and_what_ended(overview: Overview) -> None:
    lines = shown(overview, width=80)
    assert lines[0] == "1 running · 1 queued · 0 paused   node-a (cpu) 1/4"
    assert lines[1].split() == ["name", "status", "done", "epoch", "left", "train", "val", "curve"]
    assert lines[2].split() == ["quick", "running", "███───────", "12/40", "1:02:03", "0.2500", "0.5000", "█▅▂▁"]
    assert lines[3].split() == ["quick", "queued", "──────────", "0/3"]
    assert "succeeded ██████████ 12/40" in lines[4]


@pytest.mark.parametrize("width", [40, 60, 80, 140])
def test_it_fits_the_terminal_whatever_its_width(overview: Overview, width: int) -> None:
    lines = shown(overview, width=width)
    assert all(len(line) <= width for line in lines)
    assert "0.5000" in lines[2]
    assert "12/40" in lines[2]
    assert ("cuda:1" in lines[2], lines[2].startswith("job_1")) == (width == 140, width == 140)


def test_what_does_not_fit_is_counted(overview: Overview) -> None:
    assert shown(overview, width=80, rows=6)[-1] == "… and 1 more: trainwire jobs"


def test_messages_keep_it_current(overview: Overview) -> None:
    progress = {**RUNNING["progress"], "epoch": 21, "eta_s": 60.0}
    overview.take(Change(ChangeType.PROGRESS, progress, "c", "job_1"))
    assert overview.jobs["job_1"].progress is not None
    assert overview.jobs["job_1"].progress.epoch == 21
    for _ in range(2):
        overview.take(changed(**{**RUNNING, "latest": {"epoch": 13, "train_loss": 0.1, "val_loss": None}}))
    assert list(overview.curves["job_1"].values) == [3.0, 2.0, 1.0, 0.5, 0.1], "an epoch is one point"
    overview.take(Change(ChangeType.DELETED, {}, "c", "job_1"))
    assert [job.id for job in overview.ordered()] == ["job_2", "job_0"]


def test_without_jobs_and_workers_it_says_what_to_do() -> None:
    lines = shown(Overview(), width=80)
    assert "no worker is alive" in lines[0]
    assert lines[1] == "No jobs yet: trainwire submit examples/01_digits_mlp.json"


def test_once_shows_how_everything_stands(client: Client) -> None:
    job = client.wait(client.submit(QUICK).id)
    done = trainwire("top", "--once", "--url", client.url)
    assert (done.returncode, done.stderr) == (0, "")
    assert any(job.id in line and "3/3" in line and "succeeded" in line for line in done.stdout.splitlines())
    told = json.loads(trainwire("top", "--once", "--json", "--url", client.url).stdout)
    assert job.id in {one["id"] for one in told["data"]}
    assert told["workers"][0]["devices"] == ["cpu"]


def test_on_a_terminal_it_is_live_until_q(client: Client) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "trainwire", "top", "--url", client.url]
    env = {**environment(None), "TERM": "xterm", "COLUMNS": "80", "LINES": "24"}
    with subprocess.Popen(command, cwd=HOUSE, env=env, stdin=theirs, stdout=theirs, stderr=theirs) as process:
        try:
            _read_until(ours, b"queued")
            client.submit({**QUICK, "name": "seen-live"})
            _read_until(ours, b"seen-live")
            os.write(ours, b"q")
            _read_until(ours, b"\x1b[?1049l")
            assert process.wait(30) == 0
        finally:
            process.kill()
            os.close(ours)
            os.close(theirs)


def test_a_pipe_gets_a_line_for_each_change(client: Client) -> None:
    command = [sys.executable, "-m", "trainwire", "top", "--url", client.url]
    with subprocess.Popen(command, cwd=HOUSE, env=environment(None), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            wait_until(lambda: _is_watched(client))
            job = client.submit(QUICK)
            lines = iter(process.stdout.readline, "")
            mine = (line for line in lines if line.startswith(job.id))
            last = next(line for line in mine if " succeeded " in line)
        finally:
            process.kill()
    assert last.split()[1:4] == ["quick", "succeeded", "3/3"]
    assert "val_loss" in last
    assert "\x1b" not in last


def _is_watched(client: Client) -> bool:
    return "trainwire_watchers 0.0" not in httpx.get(f"{client.url}/metrics", trust_env=False).text


def _read_until(terminal: int, wanted: bytes) -> None:
    seen = b""
    while wanted not in seen:
        seen = seen[-4096:] + os.read(terminal, 65536)
