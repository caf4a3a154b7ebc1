"""One command of the command line in a process of its own, forked from one that has loaded it: a tenth of the time."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.acceptance.processes import HOUSE, environment

WITHIN_S = 100
STREAMS = (("stdin", os.O_RDONLY), ("stdout", os.O_WRONLY), ("stderr", os.O_WRONLY))
ENTRY = HOUSE / "trainwire" / "__main__.py"


def trainwire(*arguments: str, env: dict[str, str] | None = None, given: str = "") -> subprocess.CompletedProcess[str]:
    """What `tests.acceptance.processes.trainwire` does, but for Python's own start."""
    mother = _mother()
    assert mother.stdin is not None
    assert mother.stdout is not None
    with TemporaryDirectory() as folder:
        for name, _ in STREAMS:
            (Path(folder) / name).write_text(given if name == "stdin" else "")
        order = {"arguments": arguments, "env": environment(env), "folder": folder, "cwd": str(Path.cwd())}
        print(json.dumps(order), file=mother.stdin, flush=True)
        code = int(mother.stdout.readline())
        out, err = ((Path(folder) / name).read_text() for name in ("stdout", "stderr"))
    return subprocess.CompletedProcess(arguments, code, out, err)


def close() -> None:
    """End the process that forks, if there ever was one."""
    if _mother.cache_info().currsize:
        _mother().communicate(timeout=WITHIN_S)
        _mother.cache_clear()


@cache
def _mother() -> subprocess.Popen[str]:
    line = [sys.executable, "-m", "tests.trainwire.warm"]
    return subprocess.Popen(line, cwd=HOUSE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def main() -> None:
    """Fork for each line of the input, and say how the child ended."""
    from trainwire.cli import app

    while line := sys.stdin.readline():
        if not (pid := os.fork()):
            _settle(**json.loads(line))
            app(prog_name="trainwire")
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


def _settle(*, arguments: list[str], env: dict[str, str], folder: str, cwd: str) -> None:
    """Let this process be as if it had been started by itself."""
    signal.alarm(WITHIN_S)
    os.environ.clear()
    os.environ.update(env)
    for number, (name, flags) in enumerate(STREAMS):
        os.dup2(os.open(Path(folder) / name, flags), number)
    sys.stdin = os.fdopen(0)
    os.chdir(cwd)
    sys.argv = [str(ENTRY), *arguments]


if __name__ == "__main__":
    main()
