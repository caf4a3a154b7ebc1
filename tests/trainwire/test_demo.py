"""`make run`: a real model on real data, and what to type next."""

from __future__ import annotations

import json
import re
import signal
import subprocess
from pathlib import Path

import pytest

from core.job import Status
from tests.acceptance.processes import command, environment, trainwire, up
from trainwire import folder
from trainwire.client import Client


@pytest.mark.timeout(180)
def test_the_demo_trains_and_ends_its_service_and_up_brings_the_job_back(tmp_path: Path) -> None:
    data = tmp_path / "data"
    done = trainwire("demo", "--data", str(data))
    assert done.returncode == 0, done.stderr
    accuracy = re.search(r"validation accuracy (\S+) ", done.stdout)
    assert accuracy is not None
    assert float(accuracy[1]) > 0.95
    weights = Path(line_after("weights", done.stdout))
    assert weights.name == "model.safetensors"
    assert weights.is_file()
    assert line_after("by curl", done.stdout).startswith("curl http://127.0.0.1:8000/v1/jobs ")
    assert line_after("next", done.stdout).endswith("--watch")
    assert f"up --data {data}" in done.stdout.splitlines()[-1]
    assert folder.running_url(data) is None
    with up(data) as service, Client(service.url) as client:
        assert [job.status for job in client.jobs()] == [Status.SUCCEEDED]


@pytest.mark.timeout(180)
def test_the_demo_uses_a_service_that_runs_on_the_folder(tmp_path: Path) -> None:
    with up(tmp_path) as service, Client(service.url) as client:
        done = trainwire("demo", "--data", str(tmp_path), "--json")
        assert done.returncode == 0, done.stderr
        told = json.loads(done.stdout)
        assert [job.id for job in client.jobs()] == [told["job"]["id"]]
        assert service.url in told["curl"]
        assert service.process.poll() is None


def test_a_demo_that_cannot_start_says_so_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = trainwire("demo", "--data", str(tmp_path / "file"))
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "cannot be written" in done.stderr


def line_after(word: str, text: str) -> str:
    return next(line.removeprefix(word).strip() for line in text.splitlines() if line.startswith(word))


@pytest.mark.parametrize(
    ("sign", "code"), [(signal.SIGINT, 130), pytest.param(signal.SIGTERM, 143, marks=pytest.mark.full)]
)
def test_a_demo_that_is_stopped_stops_its_service(tmp_path: Path, sign: signal.Signals, code: int) -> None:
    demo = subprocess.Popen(
        [*command(), "demo", "--data", str(tmp_path)],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with demo:
        assert demo.stdout is not None
        assert demo.stderr is not None
        next(line for line in demo.stdout if "POST /v1/jobs" in line)
        demo.send_signal(sign)
        assert demo.wait(timeout=30) == code
        assert "Traceback" not in demo.stderr.read()
    assert folder.running_url(tmp_path) is None
    with folder.held(tmp_path):
        pass
