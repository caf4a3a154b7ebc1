"""The worker's small pieces: lines, words, devices, slots."""

from __future__ import annotations

import os
import pickle
import resource
from pathlib import Path

import pytest

from core.checkpoint import Checkpoint, CheckpointFile, Occasion
from core.errors import Unavailable
from core.events import (
    Checkpointed,
    EpochDone,
    Failed,
    Finished,
    Logged,
    Noticed,
    Resumed,
    RunEvent,
    Started,
    Stopped,
)
from core.job import Artifact, Claim, EpochRow, ErrorInfo, Progress, Reason
from core.room import Room
from core.surroundings import scrubbed
from worker import memory, messages
from worker.calm import Calm
from worker.devices import default_slots, slot_devices, visible_gpus
from worker.lines import MAX_LINE, Lines
from worker.seats import Seat
from worker.slots import Slots, view

ROW = EpochRow(1, float("nan"), float("inf"), {"val_accuracy": 0.5}, 0.1, 0.2, 3.0, 0.0)
WORDS: tuple[RunEvent, ...] = (
    Started("cpu", 1, 2, 3, 4, 5, 6, {"torch": "2"}),
    Started("cpu", 1, 2, 3, 4, 5, 6, {}, Resumed("ckpt_1", 1, 2, "another torch", ROW)),
    Checkpointed(Checkpoint("ckpt_1", "a", 1, 2, Occasion.BEST, (CheckpointFile("b", 1, "c"),), cost=0.5)),
    Stopped(),
    Progress(1, 2, 3, 4, 0.5),
    EpochDone(ROW, best=True),
    Logged(("a", "b"), "stderr"),
    Noticed("code", "sentence", {"a": [1, None]}),
    Finished(Reason.COMPLETED, (Artifact("a", "a", "b", 1, "c"),)),
    Failed(Reason.DIVERGED, ErrorInfo("diverged", "message", "hint", "/lr")),
)


@pytest.mark.parametrize("word", WORDS, ids=lambda word: type(word).__name__)
def test_every_word_of_a_run_crosses_the_pipe(word: RunEvent) -> None:
    assert repr(messages.loads(messages.dumps(word))) == repr(word)


@pytest.mark.parametrize("other", [os.abort, Path("/"), print, ValueError("x")])
def test_nothing_else_crosses_the_pipe(other: object) -> None:
    with pytest.raises(pickle.UnpicklingError, match="no word of a run"):
        messages.loads(pickle.dumps(other))


def test_a_trainer_gets_no_setting_but_the_point_at_which_a_test_ends_it() -> None:
    env = {"TRAINWIRE_API_KEY": "secret", "TRAINWIRE_TEST_FAILPOINT": "x@y", "PATH": "/bin"}
    clean = scrubbed(env)
    assert {name for name in clean if name.startswith("TRAINWIRE_")} == {"TRAINWIRE_TEST_FAILPOINT"}
    assert clean["PATH"] == "/bin"


def test_lines_are_put_together_across_reads() -> None:
    lines = Lines()
    assert lines.feed(b"on") == []
    assert lines.feed(b"e\ntwo\r") == ["one", "two"]
    assert lines.feed(b"\nth") == []
    assert lines.end() == ["th"]
    assert lines.end() == []


def test_a_progress_bar_is_lines() -> None:
    assert Lines().feed(b"10%\r20%\r30%\r\n") == ["10%", "20%", "30%"]


def test_a_line_without_an_end_is_cut_and_never_kept_whole() -> None:
    lines = Lines()
    got = [line for _ in range(100) for line in lines.feed(b"x" * 1000)]
    assert {len(line) for line in got} == {MAX_LINE}
    assert sum(map(len, got)) + len(lines.end()[0]) == 100_000


def test_bytes_that_are_no_text_become_text() -> None:
    [line] = Lines().feed(b"\x00\xff\x1b[31mred\x07\ttab\n")
    assert line == "\ufffd[31mred\ttab"


@pytest.mark.parametrize(
    ("there", "listed", "count"),
    [
        (0, None, 0),
        (2, None, 2),
        (2, "", 0),
        (2, "-1", 0),
        (2, "1", 1),
        (2, "0,1,2", 2),
        (4, "0,3,-1,2", 2),
        (0, "0", 0),
    ],
)
def test_gpus_are_counted_without_torch(tmp_path: Path, *, there: int, listed: str | None, count: int) -> None:
    driver = tmp_path / "gpus"
    if there:
        for gpu in range(there):
            (driver / f"0000:0{gpu}:00.0").mkdir(parents=True)
    env = {} if listed is None else {"CUDA_VISIBLE_DEVICES": listed}
    assert visible_gpus(env, driver=driver) == count


def test_slots_are_one_per_gpu_else_a_few() -> None:
    assert default_slots(8) == 8
    assert 1 <= default_slots(0) <= 4


def test_each_slot_has_a_gpu_of_its_own() -> None:
    assert slot_devices(("cuda:0", "cuda:1", "cpu"), slots=2) == ("cuda:0", "cuda:1")
    assert slot_devices(("cuda:0", "cuda:1", "cpu"), slots=3) == ("cuda:0", "cuda:1", "cuda:0")
    assert slot_devices(("mps", "cpu"), slots=2) == ("mps", "mps")
    assert slot_devices(("cpu",), slots=1) == ("cpu",)


def job(devices: int = 1, device: str = "cpu") -> Claim:
    return Claim("job_1", 1, {"resources": {"devices": devices}}, device)


def test_a_job_takes_a_slot_for_each_of_its_devices() -> None:
    slots = Slots(3)
    one, two, three = (Seat(slots, ("cpu",) * 3) for _ in range(3))
    assert one.claim(lambda room: job() if room == Room(3, 3) else None)
    assert two.claim(lambda room: job(devices=2) if room == Room(2, 2) else None)
    assert (one.slots, two.slots) == ((0,), (1, 2))
    assert three.claim(lambda _: job()) is None
    assert two.leave() == 2
    assert three.claim(lambda _: job())
    assert not slots.wait_idle(0)
    assert [one.leave(), two.leave(), three.leave()] == [1, 0, 1]
    assert slots.wait_idle(0)


def test_gpus_that_train_together_are_different_ones() -> None:
    slots, devices = Slots(4), ("cuda:0", "cuda:1", "cuda:0", "cuda:1")
    one, two = Seat(slots, devices), Seat(slots, devices)
    assert one.claim(lambda room: job(device="auto") if room == Room(4, 2) else None)
    assert two.claim(lambda room: job(devices=2, device="cuda") if room == Room(3, 2) else None)
    assert two.devices == ("cuda:1", "cuda:0")


def test_who_finds_no_job_has_no_slot() -> None:
    slots = Slots(2)
    assert Seat(slots, ("cpu", "cpu")).claim(lambda _: None) is None
    assert slots.wait_idle(0)


def test_closed_slots_are_not_given() -> None:
    slots = Slots(2)
    slots.close()
    assert Seat(slots, ("cpu", "cpu")).claim(lambda _: job()) is None


def test_slots_show_what_they_do() -> None:
    assert view(("cpu", "cpu"), busy={1}, warm=False) == [
        {"device": "cpu", "state": "warming"},
        {"device": "cpu", "state": "busy"},
    ]
    assert [slot["state"] for slot in view(("cpu",), busy=(), warm=True)] == ["warm"]


@pytest.mark.parametrize(
    ("group", "file", "words"),
    [
        ("0::/some/where", "some/where/memory.events", "low 0\noom 4\noom_kill 3\n"),
        ("0::/some/where", "memory.events", "oom_kill 3\n"),
        ("4:memory:/some/where\n0::/", "memory/some/where/memory.oom_control", "under_oom 0\noom_kill 3\n"),
        ("4:memory:/some/where", "memory/memory.oom_control", "oom_kill 3\n"),
    ],
)
def test_the_systems_kills_for_want_of_memory_are_counted(tmp_path: Path, group: str, file: str, words: str) -> None:
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).write_text(words)
    own = tmp_path / "own"
    own.write_text(group + "\n")
    assert memory.kills(cgroups=tmp_path, own=own) == 3


@pytest.mark.parametrize("words", ["", "nonsense\n", "oom_kill many\n", "low 0\n"])
def test_a_system_that_does_not_count_its_kills_has_none(tmp_path: Path, words: str) -> None:
    (tmp_path / "memory.events").write_text(words)
    own = tmp_path / "own"
    own.write_text("0::/\n")
    assert memory.kills(cgroups=tmp_path, own=own) == 0
    assert memory.kills(cgroups=tmp_path, own=tmp_path / "nowhere") == 0


def test_who_never_missed_the_database_judges_at_once() -> None:
    calm = Calm(3600.0)
    calm.call(lambda: None)
    assert calm.may_judge()


def test_who_missed_the_database_judges_a_lease_later() -> None:
    def away() -> None:
        raise Unavailable

    calm, quick = Calm(3600.0), Calm(0.0)
    for each in (calm, quick):
        with pytest.raises(Unavailable):
            each.call(away)
        assert each.away
        assert not each.may_judge()
        each.call(lambda: None)
    assert not calm.may_judge()
    assert quick.may_judge()


def test_a_database_that_hung_was_away_too() -> None:
    calm = Calm(3600.0)
    calm.call(lambda: None, within_s=60.0)
    assert calm.may_judge()
    calm.call(lambda: None, within_s=-1.0)
    assert not calm.away
    assert not calm.may_judge()


@pytest.mark.parametrize(
    ("hard", "gb", "most"),
    [(resource.RLIM_INFINITY, 2.5, 2_500_000_000), (10**9, 2.5, 10**9), (10**10, 2.5, 2_500_000_000)],
)
def test_memory_is_limited_in_gb_of_a_thousand_million_bytes_and_never_raised(
    monkeypatch: pytest.MonkeyPatch, hard: int, gb: float, most: int
) -> None:
    limits: list[tuple[int, tuple[int, int]]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: (hard, hard))
    monkeypatch.setattr(resource, "setrlimit", lambda which, limit: limits.append((which, limit)))
    memory.limit(gb)
    memory.limit(None)
    assert limits == [(resource.RLIMIT_DATA, (most, most))]
