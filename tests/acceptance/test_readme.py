"""Every block of the README is run, in its order, in one shell; what it prints is what the page shows."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import pairwise
from pathlib import Path

import httpx
import pytest
import yaml

from core.spec import parse_spec
from tests.acceptance.blocks import Step, differs, fenced, steps
from tests.acceptance.processes import HOUSE, environment, free_port, wait_until

README = HOUSE / "README.md"
CONTRIBUTING = HOUSE / "CONTRIBUTING.md"
PAGES = [HOUSE / "docs" / name for name in ("data.md", "extending.md", "models.md", "training.md")]
END = "--end of command--"


class Shell:
    """One bash for the whole page, in a folder like a checkout, where the service gets a free port."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.bash = subprocess.Popen(
            ["bash", "--norc"],
            cwd=folder,
            env={**environment(), "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, command: str) -> str:
        """What `command` prints on both streams."""
        assert self.bash.stdin is not None
        assert self.bash.stdout is not None
        here = command.replace("127.0.0.1:8000", f"127.0.0.1:{self.port}")
        self.bash.stdin.write(f"{here}\nprintf '\\n%s\\n' '{END}'\n")
        self.bash.stdin.flush()
        lines = iter(self.bash.stdout.readline, "")
        return "".join(iter(lambda: next(lines), f"{END}\n"))

    def close(self) -> None:
        self.bash.communicate(timeout=60)


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    """A shell in a folder that looks like a checkout but keeps its data to itself."""
    for name in ("examples", "Makefile", ".env.example", "docker-compose.yml"):
        (tmp_path / name).symlink_to(HOUSE / name)
    (tmp_path / ".venv").symlink_to(sys.prefix)
    opened = Shell(tmp_path)
    yield opened
    opened.close()


@pytest.mark.timeout(300)
@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_every_block_of_the_readme_does_what_it_shows(shell: Shell) -> None:
    printed = ""
    with serving(shell) as up:
        for language, text in fenced(README):
            match language:
                case "console":
                    for step in steps(text):
                        check(step, shell, up=up)
                case "python":
                    (shell.folder / "block.py").write_text(text)
                    printed = shell.run(".venv/bin/python block.py; echo $?")
                    assert printed.split()[-1] == "0", printed
                case "text":
                    assert text.strip() in printed
                case "json":
                    parse_spec(json.loads(text))
                case _:
                    pytest.fail(f"nothing runs a block of {language}")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_spec_that_a_page_of_the_docs_shows_is_one(page: Path) -> None:
    specs = [text for language, text in fenced(page) if language == "json"]
    assert specs
    for text in specs:
        parse_spec(json.loads(text))


def test_the_function_that_contributing_shows_is_a_part() -> None:
    (block,) = [text for language, text in fenced(CONTRIBUTING) if language == "python"]
    judge = """
from core.spec import parse_spec
spec = parse_spec({"dataset": "iris", "model": "linear", "optimizer": {"name": "nesterov", "weight_decay": 0.1}})
assert spec.lr == 1e-2
"""
    done = subprocess.run([sys.executable, "-c", block + judge], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


class Service:
    """`make up`, when the page comes to it."""

    def __init__(self, shell: Shell) -> None:
        self.shell = shell
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> str:
        """What it prints until it is ready."""
        log = self.shell.folder / "up.log"
        with log.open("w") as out:
            self.process = subprocess.Popen(
                [".venv/bin/trainwire", "up", "--port", str(self.shell.port)],
                cwd=self.shell.folder,
                env=environment(),
                stdout=out,
                text=True,
            )
        wait_until(lambda: log.read_text().count("\n") >= 3)
        return log.read_text()

    def stop(self) -> None:
        if self.process:
            self.process.terminate()
            self.process.wait(timeout=30)


@contextmanager
def serving(shell: Shell) -> Iterator[Service]:
    service = Service(shell)
    try:
        yield service
    finally:
        service.stop()


def check(step: Step, shell: Shell, *, up: Service) -> None:
    """Run one command as far as it can be run in a test."""
    match step.command.split()[:2]:
        case ["make", "run"]:
            printed = shell.run(".venv/bin/trainwire demo")
        case ["make", "up"]:
            printed = up.start()
        case ["make", target]:
            assert f"\n{target}: " in (HOUSE / "Makefile").read_text()
            return
        case ["docker", "compose"]:
            assert_compose_knows(step.command)
            return
        case ["trainwire", "pause" | "resume" as verb]:
            wait_until(partial(stands, shell, {"pause": "running", "resume": "paused"}[verb]))
            printed = shell.run(step.command)
        case _:
            printed = shell.run(step.command)
    wrong = differs(step.shown, printed)
    assert wrong is None, f"$ {step.command}\n{wrong}"


def stands(shell: Shell, status: str) -> bool:
    """Whether the page's job has this status: a reader is slower than its worker."""
    job_id = shell.run("echo $JOB").strip()
    return bool(httpx.get(f"http://127.0.0.1:{shell.port}/v1/jobs/{job_id}").json()["status"] == status)


def assert_compose_knows(command: str) -> None:
    """No engine here: the words of the command must at least be ones that the file answers to."""
    words = command.partition("#")[0].split()
    services = yaml.safe_load((HOUSE / "docker-compose.yml").read_text())["services"]
    profiles = {profile for service in services.values() for profile in service.get("profiles", [])}
    for option, value in pairwise(words):
        assert option != "--profile" or value in profiles
    assert "up" in words
