"""Events are stored in order, from a thread of their own, for as long as the database lets the run wait."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from core.errors import ClaimLost, Unavailable
from core.events import EpochDone, RunEvent
from core.job import Claim, EpochRow, Status
from core.supervision.delivery import Delivery, GivenUp, Outage
from core.supervision.runs import Run, Stop

WITHIN_S = 30.0


class Database:
    """Records what it is given, while it is there."""

    def __init__(self) -> None:
        self.there = threading.Event()
        self.asked = threading.Semaphore(0)
        self.told: list[RunEvent] = []
        self.status = Status.RUNNING

    def record(self, events: Sequence[RunEvent]) -> Status:
        self.asked.release()
        if not self.there.is_set():
            raise Unavailable("away")
        self.told += events
        return self.status


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.supervision.delivery._RETRY_S", 0.01)


@pytest.fixture
def run() -> Run:
    return Run(Claim("job", 1, {}, "auto"))


@pytest.fixture
def database() -> Database:
    return Database()


def deliver(run: Run, record: Callable[[Sequence[RunEvent]], Status], folder: Path, limit_s: float = 60.0) -> Delivery:
    outage = Outage(run, limit_s=limit_s, grace_s=0.05)
    return Delivery(run, outage, folder=folder, record=record, recorded=lambda *_: None)


def epoch(number: int) -> EpochDone:
    return EpochDone(EpochRow(number, 0.5, None, {}, 0.1, 0.01, 100.0, 0.0), best=True)


def test_a_run_is_heard_on_while_the_database_is_away(run: Run, database: Database, tmp_path: Path) -> None:
    told = [epoch(number) for number in range(10_000)]
    with deliver(run, database.record, tmp_path) as delivery:
        for event in told:
            delivery.put([event])
        assert database.asked.acquire(timeout=WITHIN_S)
        database.there.set()
    assert database.told == told
    assert not delivery.is_over()
    assert run.stopped is None


@pytest.mark.parametrize("status", [Status.SUCCEEDED, Status.FAILED, Status.QUEUED, Status.PAUSED])
def test_a_run_is_over_once_its_job_is_no_longer_held(
    run: Run, database: Database, tmp_path: Path, status: Status
) -> None:
    database.there.set()
    database.status = status
    with deliver(run, database.record, tmp_path) as delivery:
        delivery.put([epoch(1)])
    assert delivery.is_over()


def test_a_run_whose_database_stays_away_is_stopped_and_then_given_up(
    run: Run, database: Database, tmp_path: Path
) -> None:
    with deliver(run, database.record, tmp_path, limit_s=0.05) as delivery:
        delivery.put([epoch(1)])
    with pytest.raises(GivenUp):
        delivery.is_over()
    assert run.stopped is Stop.CUT_OFF


def test_who_must_leave_waits_no_more(run: Run, database: Database, tmp_path: Path) -> None:
    with deliver(run, database.record, tmp_path) as delivery:
        delivery.put([epoch(1)])
        assert database.asked.acquire(timeout=WITHIN_S)
        run.leave()
    with pytest.raises(GivenUp):
        delivery.is_over()


@pytest.mark.parametrize(("error", "stop"), [(ClaimLost(), Stop.LOST), (ValueError("a bad row"), Stop.BROKEN)])
def test_what_cannot_be_stored_stops_the_run_and_is_told(
    run: Run, tmp_path: Path, error: Exception, stop: Stop
) -> None:
    def record(_: Sequence[RunEvent]) -> Status:
        raise error

    with deliver(run, record, tmp_path) as delivery:
        delivery.put([epoch(1)])
    with pytest.raises(type(error)):
        delivery.is_over()
    assert run.stopped is stop
    delivery.put([epoch(2)])


def test_an_outage_is_said_once_and_its_end_too(
    run: Run, database: Database, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with deliver(run, database.record, tmp_path) as delivery:
        delivery.put([epoch(1)])
        for _ in range(5):
            assert database.asked.acquire(timeout=WITHIN_S)
        database.there.set()
    assert [message.partition(" ")[2] for message in caplog.messages] == [
        "waits for the database: away",
        "goes on: the database is back",
    ]
