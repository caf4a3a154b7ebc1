"""The checks see nothing wrong with a sound job, and everything that can be wrong with another one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.chaos.checks import BROKEN, DIFFERING, DOUBLED, LOST, Expected, changed, damage, unseen
from tests.chaos.reference import WEIGHTS, Reference
from tests.chaos.seen import File, Seen

EPOCHS = 3
EXPECTED = Expected(Reference({n: {"train_loss": 1 / n, "lr": 0.1} for n in range(1, EPOCHS + 1)}, "completed", "abc"))
ROWS = tuple({"epoch": n, "train_loss": 1 / n, "lr": 0.1, "epoch_s": 0.5} for n in range(1, EPOCHS + 1))
ONE_ULP_OFF = {**ROWS[0], "train_loss": 1.0000000000000002}
END = {"type": "end", "data": {"status": "succeeded", "reason": "completed"}}
LOG = ({"type": "status", "data": {}}, *({"type": "epoch", "data": row} for row in ROWS), END)
SOUND = Seen(
    "job_1",
    {"status": "succeeded", "status_reason": "completed", "attempt": 1, "error": None, "parent": None},
    rows=ROWS,
    events=tuple({"seq": seq, **event} for seq, event in enumerate(LOG, start=1)),
    artifacts=(File(WEIGHTS, "abc", "abc"),),
    checkpoints=(File("state.pt", "def", "def"),),
)


def with_job(**values: Any) -> Seen:
    return replace(SOUND, job={**(SOUND.job or {}), **values})


def without(rows: tuple[Any, ...], place: int) -> tuple[Any, ...]:
    return (*rows[:place], *rows[place + 1 :])


DOCTORED: list[tuple[str, str, Callable[[], Seen]]] = [
    ("is unknown", LOST, lambda: replace(SOUND, job=None)),
    ("never ends", LOST, lambda: with_job(status="running", status_reason=None)),
    ("ends without a reason", LOST, lambda: with_job(status_reason=None)),
    ("fails", LOST, lambda: with_job(status="failed", status_reason="retry_limit")),
    ("ends for another reason", DIFFERING, lambda: with_job(status_reason="early_stopped")),
    ("is started too often", BROKEN, lambda: with_job(attempt=2)),
    ("is not exact", DIFFERING, lambda: with_job(bit_exact=False, bit_exact_reason="another machine")),
    ("lacks an epoch", LOST, lambda: replace(SOUND, rows=without(ROWS, 1))),
    ("lacks its last epoch", LOST, lambda: replace(SOUND, rows=ROWS[:-1])),
    ("has an epoch twice", DOUBLED, lambda: replace(SOUND, rows=(*ROWS, ROWS[-1]))),
    ("has another loss", DIFFERING, lambda: replace(SOUND, rows=(ONE_ULP_OFF, *ROWS[1:]))),
    ("lacks an event", LOST, lambda: replace(SOUND, events=without(SOUND.events, 0))),
    ("has an event twice", DOUBLED, lambda: replace(SOUND, events=(*SOUND.events, SOUND.events[0]))),
    ("ends twice", DOUBLED, lambda: replace(SOUND, events=(*SOUND.events, {**SOUND.events[-1], "seq": 6}))),
    ("goes on behind its end", BROKEN, lambda: replace(SOUND, events=(*SOUND.events, {**SOUND.events[0], "seq": 6}))),
    ("has other weights", DIFFERING, lambda: replace(SOUND, artifacts=(File(WEIGHTS, "abd", "abd"),))),
    ("has no weights", DIFFERING, lambda: replace(SOUND, artifacts=())),
    ("lacks a file", LOST, lambda: replace(SOUND, checkpoints=(File("state.pt", "def", None),))),
    ("has a broken file", BROKEN, lambda: replace(SOUND, checkpoints=(File("state.pt", "def", "deg"),))),
]


def test_a_sound_job_is_found_sound() -> None:
    assert not damage(SOUND, EXPECTED)


@pytest.mark.parametrize(("kind", "doctored"), [case[1:] for case in DOCTORED], ids=[case[0] for case in DOCTORED])
def test_a_job_is_found_that(kind: str, doctored: Callable[[], Seen]) -> None:
    assert kind in {each.kind for each in damage(doctored(), EXPECTED)}


def test_a_fork_begins_behind_its_parents_epoch() -> None:
    fork = replace(with_job(parent={"id": "job_0", "epoch": 2}), rows=ROWS[2:], events=SOUND.events)
    assert {each.kind for each in damage(fork, EXPECTED)} == {LOST}, "its log tells of epochs that it has no rows of"
    told = (SOUND.events[0], *({**event, "seq": seq} for seq, event in enumerate(SOUND.events[3:], start=2)))
    assert not damage(replace(fork, events=told), EXPECTED)


def test_an_ended_job_that_changes_is_found() -> None:
    before = {"id": "job_1", "status": "succeeded", "attempt": 1}
    assert not changed(before, before)
    assert changed(before, {**before, "attempt": 2})


@pytest.mark.parametrize(("shown", "kind"), [([1, 3], LOST), ([1, 2, 2, 3], DOUBLED), ([2, 1, 3], LOST), ([], LOST)])
def test_a_watcher_who_missed_something_is_found(shown: list[int], kind: str) -> None:
    assert [each.kind for each in unseen(shown, 3, who="somebody", job_id="job_1")] == [kind]
    assert not unseen([1, 2, 3], 3, who="somebody", job_id="job_1")
