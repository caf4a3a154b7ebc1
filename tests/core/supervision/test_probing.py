"""A trial on a worker: answered whatever becomes of its process, and ended when something else matters more."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from core.errors import Unavailable
from core.events import Failed, Noticed, Probed
from core.job import ErrorInfo, Job, Reason
from core.settings import Settings
from core.spec import parse_spec
from core.store import Store
from core.store.schema import upgrade
from core.supervision import probing
from core.supervision.probing import Prober
from core.usage import Memory, Probe, Trial
from tests.core.supervision.test_runner import WORKER, ChildFake, LauncherFake

TRIAL = Trial("cpu", 0.1, 0.02, 0.003, 40, Memory(1, 2, 3, 4, 5))
SPEC = parse_spec({"dataset": "iris", "model": "linear"})


class SeatFake:
    """The one free slot of a worker."""

    devices = ("cpu",)

    def hold(self, take: Callable[[], Probe | None]) -> Probe | None:
        return take()


class Endless(ChildFake):
    """A trial that goes on until it is killed."""

    def __init__(self) -> None:
        super().__init__()
        self._killed = threading.Event()

    def read(self) -> None:
        assert self._killed.wait(20)

    def kill(self) -> None:
        super().kill()
        self._killed.set()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(database_url=f"sqlite:///{tmp_path / 'trainwire.db'}", artifacts=tmp_path)


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    upgrade(settings.database_url)
    opened = Store.open(settings.database_url, settings=settings)
    yield opened
    opened.close()


MakeProber = Callable[..., Prober]


@pytest.fixture
def prober(store: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> MakeProber:
    monkeypatch.setattr(probing, "LOOK_S", 0.01)

    def make(child: ChildFake | None) -> Prober:
        launcher = LauncherFake(child)
        return Prober(store=store, launcher=launcher, settings=settings)

    return make


def test_without_a_probe_there_is_nothing_to_do(prober: MakeProber) -> None:
    assert not prober(None).probe_one(WORKER, SeatFake())


def test_what_a_trial_took_is_the_answer(prober: MakeProber, store: Store) -> None:
    asked, child = store.ask_probe(SPEC, within_s=30), ChildFake([Noticed("x", "y", {})], [Probed(TRIAL)])
    assert prober(child).probe_one(WORKER, SeatFake())
    assert store.probe_answer(asked) == {"trial": asdict(TRIAL)}
    assert child.closed


def test_why_a_trial_failed_is_the_answer_too(prober: MakeProber, store: Store) -> None:
    error = ErrorInfo(Reason.INVALID_DATA, "There are holes.")
    first, second = store.ask_probe(SPEC, within_s=30), store.ask_probe(SPEC, within_s=30)
    assert prober(ChildFake([Failed(Reason.INVALID_DATA, error)])).probe_one(WORKER, SeatFake())
    assert prober(ChildFake(exit_code=-9)).probe_one(WORKER, SeatFake())
    assert store.probe_answer(first) == {"error": asdict(error)}
    told = store.probe_answer(second)
    assert told is not None
    assert "without a word" in told["error"]["message"]


def test_a_trial_ends_when_nobody_waits_for_it(prober: MakeProber, store: Store) -> None:
    asked, child = store.ask_probe(SPEC, within_s=30), Endless()
    threading.Timer(0.05, store.drop_probe, [asked]).start()
    assert prober(child).probe_one(WORKER, SeatFake())
    assert (child.kills, child.closed) == (1, True)


def test_a_trial_gives_way_to_a_job_and_is_done_later(prober: MakeProber, store: Store) -> None:
    asked, child = store.ask_probe(SPEC, within_s=30), Endless()
    jobs: list[Job] = []
    threading.Timer(0.05, lambda: jobs.append(store.add(SPEC))).start()
    assert prober(child).probe_one(WORKER, SeatFake())
    assert child.kills == 1
    assert store.claim(WORKER).job_id == jobs[0].id  # type: ignore[union-attr]
    assert prober(ChildFake([Probed(TRIAL)])).probe_one(WORKER, SeatFake())
    assert store.probe_answer(asked) is not None


def test_no_trial_begins_while_a_job_waits_and_a_trial_is_told_that_its_worker_lives(
    prober: MakeProber, store: Store
) -> None:
    asked, gate = store.ask_probe(SPEC, within_s=30), threading.Event()
    store.add(SPEC)
    assert not prober(None).probe_one(WORKER, SeatFake())
    assert store.claim(WORKER) is not None

    def later() -> list[Probed]:
        gate.wait(0.1)
        return [Probed(TRIAL)]

    child = ChildFake(later)
    assert prober(child).probe_one(WORKER, SeatFake())
    assert store.probe_answer(asked) is not None
    assert (child.kills, child.pings > 0) == (0, True)


def test_a_worker_that_leaves_leaves_its_trial_to_others(prober: MakeProber, store: Store) -> None:
    asked, child = store.ask_probe(SPEC, within_s=30), Endless()
    leaving = prober(child)
    threading.Timer(0.05, leaving.leave).start()
    assert leaving.probe_one(WORKER, SeatFake())
    assert not leaving.probe_one(WORKER, SeatFake())
    assert store.take_probe(WORKER).id == asked  # type: ignore[union-attr]


def test_a_probe_without_a_process_is_left_to_others(prober: MakeProber, store: Store) -> None:
    store.ask_probe(SPEC, within_s=30)
    with pytest.raises(Unavailable):
        prober(None).probe_one(WORKER, SeatFake())
    assert store.take_probe(WORKER) is not None
