"""The command line against a real service: what it prints, and how it ends."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.processes import Up, command, environment
from tests.trainwire.fakes import Answer, Scripted
from tests.trainwire.specs import DIVERGES, LONG, QUICK, WRONG
from tests.trainwire.warm import trainwire
from trainwire.client import Client


@pytest.fixture
def env(service: Up) -> dict[str, str]:
    """The environment in which commands find the shared service."""
    return {"TRAINWIRE_URL": service.url}


def test_submit_and_watch_shows_the_losses_and_ends_as_the_job_did(env: dict[str, str]) -> None:
    done = trainwire("submit", "-", "--watch", env=env, given=json.dumps(QUICK))
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("job_")
    assert lines[0].endswith(" queued: quick")
    assert [line.split()[1] for line in lines if line.startswith("epoch ")] == ["1/3", "2/3", "3/3"]
    assert "val_accuracy" in lines[-3]
    assert lines[-2] == "succeeded: completed"
    assert lines[-1].startswith("memory: weights ")
    assert "\x1b" not in done.stdout


def test_submit_alone_says_how_to_watch(env: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "spec.json"
    file.write_text(json.dumps(QUICK))
    done = trainwire("submit", str(file), env=env)
    job_id = done.stdout.split()[0]
    assert done.stdout.splitlines()[1] == f"Watch it: trainwire watch {job_id}"
    watched = trainwire("watch", job_id, "--json", env=env)
    events = [json.loads(line) for line in watched.stdout.splitlines()]
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert events[-1]["type"] == "end"
    assert watched.returncode == 0


def test_json_is_what_the_api_says(env: dict[str, str], client: Client) -> None:
    job = json.loads(trainwire("submit", "-", "--json", env=env, given=json.dumps(QUICK)).stdout)
    client.wait(job["id"])
    shown = answer("show", job["id"], env=env)
    assert shown == client.job(job["id"]).model_dump(mode="json")
    assert job["id"] in {row["id"] for row in answer("jobs", "--status", "succeeded", env=env)["data"]}
    assert answer("jobs", "--order", "asc", "--limit", "1", env=env)["data"][0]["created_at"] <= job["created_at"]
    assert {part["name"] for part in answer("catalog", env=env)["models"]} >= {"linear", "mlp", "cnn"}


def test_a_job_is_shown_listed_and_taken_home(env: dict[str, str], client: Client, tmp_path: Path) -> None:
    job_id = client.wait(client.submit(QUICK).id).id
    shown = trainwire("show", job_id, env=env).stdout
    for words in (job_id, "succeeded: completed", "3/3", "val_accuracy", '"batch_size": 32'):
        assert words in shown
    listed = trainwire("jobs", "--name", "quick", "--limit", "1", env=env).stdout.splitlines()
    assert listed[1].startswith(job_id)
    assert len(listed) == 2
    done = trainwire("download", job_id, "--to", str(tmp_path / "home"), env=env)
    assert sorted(done.stdout.split()) == sorted(str(path) for path in (tmp_path / "home").iterdir())
    assert len(done.stdout.split()) == 3


def test_a_failed_job_exits_1_with_its_hint(env: dict[str, str]) -> None:
    done = trainwire("submit", "-", "--watch", env=env, given=json.dumps(DIVERGES))
    assert done.returncode == 1
    assert "failed: diverged" in done.stdout
    assert "lr" in done.stdout.splitlines()[-1]


def test_a_refused_spec_exits_2_with_every_problem(env: dict[str, str]) -> None:
    done = trainwire("submit", "-", env=env, given=json.dumps(WRONG))
    assert (done.returncode, done.stdout) == (2, "")
    lines = done.stderr.splitlines()
    assert lines[0] == "The spec was refused: 3 problems."
    assert sorted(line.split()[0] for line in lines[1:]) == ["/epoch", "/lr", "/model"]
    assert "mlp" in next(line for line in lines if "/model" in line)
    as_json = trainwire("submit", "-", "--json", env=env, given=json.dumps(WRONG))
    assert as_json.returncode == 2
    assert {problem["pointer"] for problem in json.loads(as_json.stdout)["errors"]} == {"/epoch", "/lr", "/model"}


@pytest.mark.parametrize(
    ("arguments", "given", "words"),
    [
        (("submit", "-"), "{", "not JSON"),
        (("submit", "-"), "[]", "no job spec"),
        (("submit", "-"), "[" * 100_000, "not JSON"),
        (("submit", sys.executable), "", "not text"),
        (("submit", "-"), '{"dataset": "digits", "model": "mlp", "lr": NaN}', "/lr"),
        (("submit", "missing.json"), "", "cannot be read"),
        (("jobs", "--url", "http://[here"), "", "no address"),
        (("show", "../catalog"), "", "nothing"),
        (("up", "--port", "99999"), "", "--port"),
        (("up", "--slots", "0"), "", "--slots"),
        (("show", "job_nobody"), "", "job_nobody"),
        (("jobs", "--status", "finished"), "", "finished"),
        (("dance",), "", "dance"),
    ],
)
def test_wrong_usage_exits_2_in_a_sentence(
    env: dict[str, str], arguments: tuple[str, ...], given: str, words: str
) -> None:
    done = trainwire(*arguments, env=env, given=given)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_a_cancelled_job_exits_3(env: dict[str, str], client: Client) -> None:
    job_id = client.submit(LONG).id
    watching = subprocess.Popen([*command(), "watch", job_id], env=environment(env), stdout=subprocess.PIPE, text=True)
    with watching:
        assert watching.stdout is not None
        next(line for line in watching.stdout if line.startswith("epoch "))
        cancelled = trainwire("cancel", job_id, env=env)
        assert (cancelled.returncode, cancelled.stdout.split()[0]) == (0, job_id)
        assert watching.wait(timeout=30) == 3
        assert watching.stdout.read().splitlines()[-1] == "cancelled: cancelled_by_user"


@pytest.mark.parametrize("arguments", [("jobs",), ("submit", "-"), ("watch", "job_1"), ("jobs", "--json")])
def test_without_a_server_it_exits_4(free_url: str, arguments: tuple[str, ...]) -> None:
    done = trainwire(*arguments, "--url", free_url, given=json.dumps(QUICK))
    assert done.returncode == 4
    assert free_url in done.stdout + done.stderr
    if "--json" in arguments:
        assert json.loads(done.stdout)["code"] == "no_server"
    else:
        assert done.stderr.splitlines()[1:] == ["Start one with: trainwire up"]


def test_a_key_that_is_missing_or_wrong_exits_2_and_says_where_to_put_it(scripted: Scripted) -> None:
    scripted.script = [Answer(status=401, body=b'{"detail": "A key is needed."}')]
    done = trainwire("jobs", "--url", scripted.url)
    assert done.returncode == 2
    assert done.stderr.splitlines() == ["A key is needed.", "Set TRAINWIRE_API_KEY to the key of the service."]


def test_ctrl_c_detaches_and_says_how_to_come_back(env: dict[str, str], client: Client) -> None:
    job_id = client.submit(LONG).id
    watching = subprocess.Popen(
        [*command(), "watch", job_id], env=environment(env), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    with watching:
        assert watching.stdout is not None
        assert watching.stderr is not None
        next(line for line in watching.stdout if line.startswith("epoch "))
        watching.send_signal(signal.SIGINT)
        assert watching.wait(timeout=30) == 130
        assert f"trainwire watch {job_id}" in watching.stderr.read()
    assert not client.job(job_id).status.ended
    client.cancel(job_id)


def test_a_folder_that_cannot_be_filled_is_refused_in_a_sentence(
    env: dict[str, str], client: Client, tmp_path: Path
) -> None:
    job_id = client.wait(client.submit(QUICK).id).id
    (tmp_path / "in the way").touch()
    done = trainwire("download", job_id, "--to", str(tmp_path / "in the way"), env=env)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"{tmp_path / 'in the way'} cannot be written: File exists.\n"


def test_the_service_on_the_folder_is_found_by_itself(service: Up) -> None:
    """Without a URL, the service that runs on ./trainwire-data is the one."""
    (service.data / "trainwire-data").symlink_to(service.data)
    done = subprocess.run(
        [*command(), "jobs"], cwd=service.data, env=environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_version_and_help_need_no_server() -> None:
    assert trainwire("--version").stdout.startswith("trainwire 0.")
    helped = trainwire("--help")
    assert helped.returncode == 0
    for name in ("up", "demo", "submit", "watch", "jobs", "show", "cancel", "download", "catalog", "fork", "doctor"):
        assert f" {name} " in helped.stdout


def test_the_entry_module_imports_nothing_heavy() -> None:
    """A training child imports it again: FastAPI or typer in it would cost every job most of a second."""
    code = "import sys, trainwire.__main__, trainwire; print(*sys.modules)"
    held = set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())
    assert not held & {"typer", "rich", "fastapi", "celery", "sqlalchemy", "httpx", "httpx2", "pydantic", "torch"}


def answer(*arguments: str, env: dict[str, str]) -> dict[str, Any]:
    done = trainwire(*arguments, "--json", env=env)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))
