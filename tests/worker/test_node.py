"""Jobs seen to their ends by nodes with real children and a real database."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection
from typing import NoReturn

import pytest

from core import artifacts
from core.errors import StartRefused, Unavailable
from core.job import Claim, EventType, Reason, Status, Worker
from core.room import Room
from core.settings import Settings
from core.store import Store
from tests.worker.place import GONE_WITHIN_S, WITHIN_S, KeptLauncher, Place, acting, gone, happens


def test_a_job_trains_in_a_child_and_leaves_its_weights_where_its_rows_say(place: Place) -> None:
    place.node()
    job = place.ended(place.submit(epochs=3))
    assert (job.status, job.status_reason, job.error) == (Status.SUCCEEDED, Reason.COMPLETED, None)
    assert [row.epoch for row in place.store.epochs(job.id)] == [1, 2, 3]
    files = {file.name: file for file in place.store.artifacts(job.id)}
    assert set(files) == {"model.json", "model.safetensors", "report.json"}
    for file in files.values():
        assert file.path == f"{job.id}/1/{file.name}"
        assert (place.settings.artifacts / file.path).stat().st_size == file.bytes


def test_a_jobs_dataloader_may_have_processes(place: Place) -> None:
    place.node()
    jobs = [place.ended(place.submit(num_workers=count)) for count in (0, 2)]
    plain, many = ([row.figures() for row in place.store.epochs(job.id)] for job in jobs)
    assert plain == many != []


def test_a_run_that_fails_says_why_and_is_tried_again_unless_that_is_in_vain(place: Place) -> None:
    place.node()
    diverged, broken = (place.ended(place.submit(act)) for act in ("diverges", "raises"))
    assert diverged.status_reason is Reason.DIVERGED
    assert diverged.error is not None
    assert (diverged.error.hint, diverged.error.param) == ("Lower lr.", "/lr")
    assert broken.status_reason is Reason.RETRY_LIMIT
    assert broken.error is not None
    assert "the wheels came off" in broken.error.message
    assert any("Traceback" in line for line in place.printed(broken)), "a traceback belongs to the logs"
    assert (diverged.attempt, broken.attempt) == (1, 3)
    place.tidied(diverged)


@pytest.mark.parametrize(
    ("act", "by", "reason", "words"),
    [
        ("dies", "SIGKILL", Reason.KILLED_BY_SIGNAL, "killed by SIGKILL"),
        ("dies", "SIGSEGV", Reason.KILLED_BY_SIGNAL, "killed by SIGSEGV"),
        ("leaves", "", Reason.INTERNAL_ERROR, "exited with code 3"),
        ("smuggles", "", Reason.INTERNAL_ERROR, "no word of a run"),
    ],
)
def test_a_child_that_dies_is_tried_again_until_the_limit(
    place: Place, act: str, by: str, reason: Reason, words: str
) -> None:
    place.node()
    job = place.ended(place.submit(act, by=by))
    assert (job.status, job.status_reason, job.attempt) == (Status.FAILED, Reason.RETRY_LIMIT, 3)
    assert job.error is not None
    assert words in job.error.message
    assert [change.reason for change in job.transitions if change.status is Status.QUEUED][1:] == [reason, reason]
    place.tidied(job)


def test_what_a_child_prints_becomes_lines_whatever_it_is(place: Place) -> None:
    place.node()
    lines = place.printed(place.ended(place.submit("prints")))
    assert "a line" in lines
    assert "another" in lines
    assert "without an end" in lines
    assert any("garbage" in line for line in lines)
    assert sum(line.count("x") for line in lines if set(line) == {"x"}) == 10_000
    assert max(map(len, lines)) <= 4096
    assert not any(character < " " for line in lines for character in line)


def test_a_child_that_floods_its_output_neither_stalls_nor_fills_the_database(place: Place) -> None:
    place.node()
    job = place.ended(place.submit("floods", epochs=20_000))
    assert job.status is Status.SUCCEEDED
    assert job.latest is not None
    assert job.latest["epoch"] == 20_000
    assert place.printed(job)[:100] == [str(number) for number in range(100)]
    assert len(place.printed(job)) <= 102 * job.attempt  # on a machine that stands still a lease runs out


def test_a_child_is_a_clean_place(place: Place) -> None:
    place.node()
    said = place.printed(place.ended(place.submit("confesses")))
    assert said == ["modules torch", "secrets", "inherited", "cuda False", "threads 1 1", "group True"]


def test_a_cancelled_run_and_all_its_processes_are_gone_within_two_seconds(place: Place) -> None:
    place.node()
    job = place.submit("hangs")
    pids = place.pids(job)
    place.store.cancel(job.id)
    assert gone(pids)
    done = place.ended(job)
    assert (done.status, done.status_reason) == (Status.CANCELLED, Reason.CANCELLED_BY_USER)
    place.tidied(job)


def test_a_drained_node_gives_its_jobs_back_without_penalty(place: Place) -> None:
    first = place.node()
    jobs = [place.submit("hangs"), place.submit("hangs")]
    pids = [pid for job in jobs for pid in place.pids(job)]
    began = time.monotonic()
    first.drain()
    assert time.monotonic() - began < GONE_WITHIN_S
    assert gone(pids)
    for job in jobs:
        now = place.store.job(job.id)
        assert (now.status, now.status_reason) == (Status.QUEUED, Reason.WORKER_DRAINED)
    assert place.store.workers() == []


def test_a_job_given_back_is_taken_up_by_another_node(place: Place) -> None:
    first = place.node()
    job = place.submit("hangs")
    place.pids(job)
    first.drain()
    place.node()
    place.when(job, lambda now: now.status is Status.RUNNING and now.attempt == 2)


def test_a_run_whose_claim_is_lost_ends_and_keeps_nothing(place: Place) -> None:
    node = place.node()
    job = place.submit("hangs")
    pids = place.pids(job)
    node._slots.close()  # this node takes nothing up again
    place.store.recover()
    assert gone(pids)
    place.tidied(job)
    assert place.store.job(job.id).status is Status.QUEUED


def test_two_nodes_on_one_database_run_every_job_once(place: Place) -> None:
    place.node()
    place.node()
    jobs = [place.submit("epochs") for _ in range(12)]
    for job in jobs:
        done = place.ended(job)
        assert (done.status, done.attempt) == (Status.SUCCEEDED, 1)
        started = place.store.events(job.id, types={EventType.STARTED})
        assert len(started) == 1


def test_leases_are_kept_alive_for_as_long_as_a_run_takes(place: Place) -> None:
    place.settings = place.settings.model_copy(update={"lease_s": 0.6, "heartbeat_s": 0.1})
    place.node()
    job = place.submit("hangs")
    place.pids(job)
    threading.Event().wait(3 * place.settings.lease_s)  # nothing happens, which no bell tells
    now = place.store.job(job.id)
    assert (now.status, now.attempt) == (Status.RUNNING, 1)


def test_a_late_heartbeat_does_not_make_a_node_sweep_its_own_jobs(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a stop longer than the lease any of the node's threads may wake first."""
    place.settings = place.settings.model_copy(update={"lease_s": 0.6, "heartbeat_s": 0.1})
    beat, over = place.store.beat, threading.Event()

    def late(worker: Worker, claims: Collection[tuple[Claim, float]]) -> None:
        if threading.current_thread().name == "The heartbeat":
            over.wait(WITHIN_S)
        beat(worker, claims)

    monkeypatch.setattr(place.store, "beat", late)
    place.node()
    job = place.submit("hangs")
    place.pids(job)
    threading.Event().wait(3 * place.settings.lease_s)
    over.set()
    now = place.store.job(job.id)
    assert (now.status, now.attempt) == (Status.RUNNING, 1)


def test_who_sweeps_removes_what_a_dead_workers_attempt_left(place: Place) -> None:
    job = place.store.add(acting("epochs"))
    claim = place.store.claim(Worker(id="worker_dead", name="dead", devices=("cpu",), slots=1, queues=("cpu",)))
    assert claim is not None
    (artifacts.attempt_folder(place.settings.artifacts, claim) / "half").touch()
    place.store.cancel(job.id)
    place.node()
    assert place.ended(job).status is Status.CANCELLED
    assert happens(lambda: not (place.settings.artifacts / job.id).exists())


def test_a_database_that_goes_away_costs_a_run_nothing(
    place: Place, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    place.settings = place.settings.model_copy(update={"lease_s": 30.0})
    place.node()
    job = place.submit("waits")
    place.when(job, lambda now: now.latest is not None)
    asked = threading.Semaphore(0)
    with monkeypatch.context() as away:
        for name in ("beat", "sweep", "held", "claim", "record"):
            away.setattr(place.store, name, _Away(asked))
        (place.settings.artifacts / job.id / "go").touch()
        for _ in range(40):
            assert asked.acquire(timeout=WITHIN_S)
    done = place.ended(job)
    assert (done.status, done.attempt) == (Status.SUCCEEDED, 1)
    said = [message for message in caplog.messages if "waits for the database" in message]
    assert len(said) == len(set(said)), "each thread says it once"
    assert {"The heartbeat", "The sweep", "A slot"} <= {message.partition(" waits")[0] for message in said}


class _Away:
    """A method of a store whose database is away; counts how often it was asked."""

    def __init__(self, asked: threading.Semaphore) -> None:
        self._asked = asked

    def __call__(self, *_: object, **__: object) -> NoReturn:
        self._asked.release()
        raise Unavailable("the database is away")


def test_the_slots_tell_what_they_do(place: Place) -> None:
    node = place.node()
    assert node.devices(0) == ("cpu",)
    assert [slot["device"] for slot in node.slots] == ["cpu", "cpu"]
    job = place.submit("hangs")
    place.pids(job)
    assert [slot["state"] for slot in node.slots].count("busy") == 1
    [worker] = place.store.workers()
    assert (worker.slots, worker.devices, worker.queues) == (2, ("cpu",), ("cpu", "gpu"))


def test_a_look_that_finds_all_slots_taken_is_not_lost(place: Place) -> None:
    """The poll is hours away and no bell rings: only `look` says that there is work."""
    place.settings = place.settings.model_copy(update={"poll_s": 3600.0, "slots": 1})
    node = place.node()
    jobs = []
    doors = []
    for _ in range(20):
        jobs.append(place.store.add(acting("epochs", epochs=1)))
        doors.append(threading.Thread(target=node.look))
        doors[-1].start()
    for door in doors:
        door.join(WITHIN_S)
    for job in jobs:
        place.ended(job)  # a slot's own thread may have the rest in hand


def test_a_look_while_another_one_looks_too_early_is_not_lost(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who looks has a slot in hand: with the only one it finds nothing, and the job comes before it gives that back."""
    place.settings = place.settings.model_copy(update={"poll_s": 3600.0, "slots": 1})
    node = place.node()
    first = place.store.add(acting("epochs", epochs=1))
    node.look()
    place.ended(first)
    looked, heard, claim = threading.Event(), threading.Event(), place.store.claim

    def slow(worker: Worker, *, room: Room) -> Claim | None:
        found = claim(worker, room=room)
        if threading.current_thread() is early:
            looked.set()
            heard.wait(WITHIN_S)
        return found

    def look() -> None:
        while not looked.is_set():  # whoever ran the first job may not have given the slot back
            node.look()

    monkeypatch.setattr(place.store, "claim", slow)
    early = threading.Thread(target=look)
    early.start()
    assert looked.wait(WITHIN_S)
    job = place.store.add(acting("epochs", epochs=1))
    threading.Timer(0.2, heard.set).start()
    node.look()
    place.ended(job)


def test_a_node_that_does_not_see_the_shared_folder_refuses_to_start(
    store: Store, settings: Settings, launcher: KeptLauncher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.node._MARKER_WITHIN_S", 0.0)
    (settings.artifacts / ".trainwire").unlink()
    place = Place(store, settings, launcher)
    with pytest.raises(StartRefused, match="TRAINWIRE_ARTIFACTS"):
        place.node()
    assert store.workers() == []
