"""The process that predicts: begun at the first request, one answer after another, and never left behind."""

from __future__ import annotations

import asyncio
import json
import os
import pickle
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from core.errors import NotFound, RowsRefused, Unavailable
from core.files import sha256
from core.loop import train
from core.serving import predictor as room
from core.serving.asking import Ask
from core.serving.predictor import Predictor
from core.spec import parse_spec
from tests.core.serving.conftest import BOUNDS

BODY = json.dumps({"rows": [[1.0, 2.0, 3.0, 4.0]]}).encode()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("model")
    for _ in train(parse_spec({"dataset": "iris", "model": "linear", "epochs": 1}), folder=home):
        pass
    return home


@pytest.fixture(scope="module")
def running(folder: Path) -> Iterator[Predictor]:
    """One process for the tests of this file that leave it well."""
    with closing(Predictor(BOUNDS, seconds=30)) as predictor:
        assert predictor.pid is None, "nothing runs before the first request"
        asyncio.run(predictor.answer(ask(folder)))
        yield predictor


def ask(folder: Path, body: bytes = BODY) -> Ask:
    card, weights = (sha256(folder / name) for name in ("model.json", "model.safetensors"))
    return Ask("job_1", folder, card, weights, "application/json", body)


def gone(pid: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return False
    return True


def test_bad_requests_are_refused_and_the_process_goes_on(running: Predictor, folder: Path) -> None:
    pid = running.pid
    for body in (b"", b"[[", b'{"rows": [[1]]}', b'{"rows": [{}]}', b"\xff" * 100_000, b"[" * 100_000):
        with pytest.raises(RowsRefused):
            asyncio.run(running.answer(ask(folder, body)))
    elsewhere = Ask("job_1", folder / "none", "0", "0", "application/json", BODY)
    with pytest.raises(NotFound):
        asyncio.run(running.answer(elsewhere))
    assert json.loads(asyncio.run(running.answer(ask(folder))))["data"][0]["class"]
    assert running.pid == pid


def test_requests_at_once_are_answered_in_their_order_and_the_loop_goes_on(running: Predictor, folder: Path) -> None:
    async def several() -> list[int]:
        done: list[int] = []

        async def one(number: int) -> None:
            await running.answer(ask(folder))
            done.append(number)

        turns = 0
        tasks = [asyncio.create_task(one(number)) for number in range(20)]
        while not all(task.done() for task in tasks):
            turns += 1
            await asyncio.sleep(0)
        assert turns > len(tasks)
        return done

    assert asyncio.run(several()) == list(range(20))


def test_more_waiting_than_there_is_room_for_are_told_to_come_again(
    running: Predictor, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "WAITING", 2)

    async def several() -> list[object]:
        return await asyncio.gather(*(running.answer(ask(folder)) for _ in range(4)), return_exceptions=True)

    found = asyncio.run(several())
    assert [isinstance(one, Unavailable) for one in found] == [False, False, True, True]


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_it_leads_a_group_of_its_own_and_knows_no_secret(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRAINWIRE_DATABASE_URL", "postgresql://sesame")
    with closing(Predictor(BOUNDS, seconds=30)) as predictor:
        asyncio.run(predictor.answer(ask(folder)))
        first = predictor.pid
        assert first is not None
        assert os.getpgid(first) == first != os.getpgid(0)
        environment = Path(f"/proc/{first}/environ").read_bytes()
        assert b"sesame" not in environment
        assert b"OMP_NUM_THREADS=1" in environment
        os.kill(first, signal.SIGKILL)
        answered = asyncio.run(answered_soon(predictor, ask(folder)))
        assert json.loads(answered)["data"]
        second = predictor.pid
        assert second not in (None, first)
    assert second is not None
    assert gone(first)
    assert gone(second)
    with pytest.raises(Unavailable):
        asyncio.run(predictor.answer(ask(folder)))


async def answered_soon(predictor: Predictor, asked: Ask) -> str:
    """The answer, from the next process where this one died in the middle."""
    with suppress(Unavailable):
        return await predictor.answer(asked)
    return await predictor.answer(asked)


def test_what_takes_too_long_is_given_up_and_closing_ends_what_is_being_answered(
    running: Predictor, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asyncio.run(answered_soon(running, ask(folder)))
    pid = running.pid
    assert pid is not None
    monkeypatch.setattr(running, "_seconds", 0.2)
    os.kill(pid, signal.SIGSTOP)
    with pytest.raises(Unavailable, match="took longer"):
        asyncio.run(running.answer(ask(folder)))
    assert gone(pid)
    assert running.pid is None


@pytest.mark.skipif(sys.platform != "linux", reason="waits by pidfd")
def test_a_service_that_is_killed_leaves_no_process_behind(folder: Path) -> None:
    code = (
        "import asyncio, pickle, sys, time\n"
        "from core.serving.predictor import Predictor\n"
        "asked, bounds = pickle.loads(bytes.fromhex(sys.argv[1]))\n"
        "predictor = Predictor(bounds, seconds=30)\n"
        "asyncio.run(predictor.answer(asked))\n"
        "print(predictor.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    told = pickle.dumps((ask(folder), BOUNDS)).hex()
    with subprocess.Popen([sys.executable, "-c", code, told], stdout=subprocess.PIPE, text=True) as service:
        assert service.stdout is not None
        pid = int(service.stdout.readline())
        service.kill()
    with suppress(ProcessLookupError):
        ended = os.pidfd_open(pid)
        assert select.select([ended], [], [], 20)[0]
        os.close(ended)
