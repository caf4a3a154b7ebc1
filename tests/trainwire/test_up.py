"""`trainwire up`: ready soon, ended soon, and refused in one sentence."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from core.job import EventType
from tests.acceptance import processes
from tests.acceptance.processes import trainwire, up
from tests.trainwire.specs import LONG, QUICK
from trainwire.client import Client

READY_WITHIN_S = 25.0
"""Five times the line of `bench/startup.py`: here it only tells "soon" from "never"."""
ENDED_WITHIN_S = 15.0


@pytest.mark.full
def test_it_is_ready_soon_and_says_where_and_on_what(tmp_path: Path) -> None:
    began = time.monotonic()
    with up(tmp_path / "data", "--slots", "2") as service:
        ready = httpx.get(f"{service.url}/readyz")
        took = time.monotonic() - began
        assert ready.status_code == 200, ready.text
        assert len(ready.json()["slots"]) == 2
        assert {slot["state"] for slot in ready.json()["slots"]} <= {"warming", "warm"}
        assert json.loads((tmp_path / "data" / "server.json").read_text())["url"] == service.url
    assert took <= READY_WITHIN_S
    assert not (tmp_path / "data" / "server.json").exists()


@pytest.mark.parametrize("sign", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.full)])
def test_it_ends_soon_with_open_streams_and_goes_on_at_the_next_start(tmp_path: Path, sign: signal.Signals) -> None:
    with up(tmp_path) as service, Client(service.url) as client:
        job = client.submit(LONG)
        events = client.watch(job.id, patience_s=0.0)
        next(event for event in events if event.type is EventType.EPOCH)
        assert service.stop(sign) <= ENDED_WITHIN_S
        assert service.process.returncode == 0
    with up(tmp_path) as service, Client(service.url) as client:
        assert any(event.data.get("attempt") == 2 for event in client.watch(job.id) if event.type is EventType.STARTED)
        client.cancel(job.id)


@pytest.mark.skipif(sys.platform != "linux", reason="sees by /proc when the forkserver imports torch")
def test_ctrl_c_on_a_terminal_ends_it_without_a_word(tmp_path: Path) -> None:
    """The terminal signals the whole foreground group, and people press again, also while it still warms up."""
    command = [*processes.command(), "up", "--json", "--port", "0", "--data", str(tmp_path)]
    with subprocess.Popen(
        command,
        env=processes.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        text=True,
    ) as process:
        processes.wait_until(lambda: imports_torch(process.pid))
        processes.wait_until(lambda: pressed_to_the_end(process))
        _, complaints = process.communicate(timeout=60)
    assert (process.returncode, complaints) == (0, "")


def imports_torch(group: int) -> bool:
    """Whether a process of the group has torch's library loaded."""
    return any("libtorch" in maps(int(entry.name)) for entry in Path("/proc").glob("[0-9]*") if in_group(entry, group))


def in_group(entry: Path, group: int) -> bool:
    with suppress(ProcessLookupError):
        return os.getpgid(int(entry.name)) == group
    return False


def maps(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/maps").read_text()
    return ""


def pressed_to_the_end(process: subprocess.Popen[str]) -> bool:
    """Press Ctrl-C once more unless the process is gone."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGINT)
    return process.poll() is not None


def test_a_taken_port_is_refused_and_nothing_is_touched(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        sentence = refused("up", "--port", str(port), "--data", str(tmp_path / "data"))
    assert str(port) in sentence
    assert not (tmp_path / "data").exists()


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "cannot be written" in refused("up", "--port", "0", "--data", str(tmp_path / "file"))


def test_a_second_instance_is_refused_and_harms_nothing(tmp_path: Path) -> None:
    with up(tmp_path) as service, Client(service.url) as client:
        before = rows(tmp_path)
        assert service.url in refused("up", "--port", "0", "--data", str(tmp_path))
        assert rows(tmp_path) == before
        assert (tmp_path / "server.json").exists()
        assert client.wait(client.submit(QUICK).id).status == "succeeded"


def test_an_address_beyond_loopback_needs_a_key(tmp_path: Path) -> None:
    open_door = ("up", "--host", "0.0.0.0", "--port", "0", "--data", str(tmp_path / "data"))
    sentence = refused(*open_door)
    assert "TRAINWIRE_API_KEY" in sentence
    assert refused(*open_door, env={"TRAINWIRE_API_KEY": ""}) == sentence
    assert not (tmp_path / "data").exists()
    with up(tmp_path / "data", "--host", "0.0.0.0", env={"TRAINWIRE_API_KEY": "k"}) as service:
        assert httpx.get(f"{service.url}/v1/jobs").status_code == 401


def test_a_setting_that_cannot_be_is_refused(tmp_path: Path) -> None:
    wrong = {"TRAINWIRE_HEARTBEAT_S": "often"}
    assert "TRAINWIRE_HEARTBEAT_S" in refused("up", "--port", "0", "--data", str(tmp_path / "data"), env=wrong)


def test_migrate_prepares_a_database_and_the_shared_folder(tmp_path: Path) -> None:
    env = {
        "TRAINWIRE_DATABASE_URL": f"sqlite:///{tmp_path / 'jobs.db'}",
        "TRAINWIRE_ARTIFACTS": str(tmp_path / "artifacts"),
    }
    for _ in range(2):
        assert trainwire("migrate", env=env).returncode == 0
    assert (tmp_path / "artifacts" / ".trainwire").is_file()
    assert rows(tmp_path, "jobs.db") == []
    assert trainwire("migrate", env={**env, "TRAINWIRE_DATABASE_URL": "nosql://there"}).returncode == 1


def refused(*arguments: str, env: dict[str, str] | None = None) -> str:
    """The one sentence on stderr."""
    done = trainwire(*arguments, env=env)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.endswith(".\n")
    return done.stderr


def rows(data: Path, name: str = "trainwire.db") -> list[object]:
    connection = sqlite3.connect(f"file:{data / name}?mode=ro", uri=True)
    try:
        return connection.execute("SELECT * FROM jobs").fetchall() + connection.execute("SELECT 1 WHERE 0").fetchall()
    finally:
        connection.close()
