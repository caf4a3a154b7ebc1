"""What waits for the database keeps its order, wherever it waits."""

from __future__ import annotations

import errno
import random
import resource
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import pytest

from core.events import EpochDone, Logged, RunEvent
from core.job import EpochRow, Progress
from core.supervision.spool import Spool

WITHIN_S = 30.0


def epoch(number: int) -> EpochDone:
    return EpochDone(EpochRow(number, 0.5, None, {}, 0.1, 0.01, 100.0, 0.0), best=True)


def taken(spool: Spool) -> list[RunEvent]:
    spool.close()
    events: list[RunEvent] = []
    while (batch := spool.take()) is not None:
        events += batch
    return events


def test_what_waits_comes_out_in_order_and_then_nothing_more(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.put([epoch(1), epoch(2)])
    spool.put([Logged(("a",))])
    assert taken(spool) == [epoch(1), epoch(2), Logged(("a",))]
    spool.put([epoch(3)])
    assert taken(spool) == []


def test_of_progress_in_a_row_only_the_last_is_kept(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    progress = [Progress(1, 2, step, 9) for step in range(5)]
    spool.put(progress[:3])
    spool.put([progress[3], epoch(1), progress[4]])
    assert taken(spool) == [progress[3], epoch(1), progress[4]]


@pytest.mark.parametrize("seed", range(10))
def test_the_order_stands_however_much_goes_to_the_disk(tmp_path: Path, seed: int) -> None:
    draw = random.Random(seed)
    spool = Spool(tmp_path, memory_bytes=draw.choice([0, 1000, 10_000]))
    told: list[RunEvent] = []
    got: list[RunEvent] = []
    for _ in range(200):
        batch = [epoch(len(told) + number) for number in range(draw.randrange(1, 9))]
        told += batch
        spool.put(batch)
        if draw.random() < 0.4:
            got += spool.take() or []
    assert got + taken(spool) == told
    assert list(tmp_path.iterdir()) == [], "its file has no name, so nobody need remove it"


def test_who_takes_waits_for_who_puts(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    got: list[RunEvent] = []
    taker = threading.Thread(target=lambda: got.extend(spool.take() or []))
    taker.start()
    spool.put([epoch(1)])
    taker.join(WITHIN_S)
    assert got == [epoch(1)]


def test_while_the_disk_is_full_too_the_run_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(**_: object) -> NoReturn:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    spool = Spool(tmp_path, memory_bytes=0)
    began, done = threading.Event(), threading.Event()

    def put() -> None:
        began.set()
        spool.put([epoch(1)])
        done.set()

    threading.Thread(target=put, daemon=True).start()
    assert began.wait(WITHIN_S)
    assert not done.wait(0.1)
    assert spool.take() == [epoch(1)]
    assert done.wait(WITHIN_S)


def test_a_discarded_spool_keeps_nothing_and_lets_who_puts_go(tmp_path: Path) -> None:
    spool = Spool(tmp_path, memory_bytes=0)
    spool.put([epoch(1)])
    spool.discard()
    assert spool.take() is None


@contextmanager
def full_beyond(size: int) -> Iterator[None]:
    """No file of this process may become larger."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_what_went_to_the_disk_before_it_was_full_can_still_be_taken(tmp_path: Path) -> None:
    spool = Spool(tmp_path, memory_bytes=0)
    spool.put([epoch(1)])
    with full_beyond(spool._written_to):
        putting = threading.Thread(target=lambda: spool.put([epoch(2)]))
        putting.start()
        with spool._changed:
            assert spool._changed.wait_for(lambda: spool._newest, WITHIN_S)
        assert spool.take() == [epoch(1)]
    assert spool.take() == [epoch(2)]
    putting.join(WITHIN_S)
    assert not putting.is_alive()


def test_a_disk_that_takes_in_a_part_at_a_time_gets_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = tempfile.TemporaryFile

    class Slow:
        def __init__(self, file: Any) -> None:
            self._file = file

        def write(self, data: memoryview) -> int:
            return int(self._file.write(data[:7]))

        def __getattr__(self, name: str) -> object:
            return getattr(self._file, name)

    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **more: Slow(made(**more)))
    spool = Spool(tmp_path, memory_bytes=0)
    spool.put([epoch(1), epoch(2)])
    spool.put([epoch(3)])
    assert taken(spool) == [epoch(1), epoch(2), epoch(3)]
