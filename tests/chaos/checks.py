"""The invariants, checked from the outside: what is wrong with a job, in sentences; none when it is as promised."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.chaos.reference import WEIGHTS, Reference
from tests.chaos.seen import Seen
from tests.chaos.services import ENDED

LOST, DOUBLED, DIFFERING, BROKEN = "lost", "doubled", "differing", "broken"


@dataclass(frozen=True)
class Damage:
    """Something that must never be: its kind and a sentence."""

    kind: str
    job_id: str
    what: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.job_id} {self.what}"


@dataclass(frozen=True)
class Expected:
    """How a job must come out: its undisturbed result, how it may end, and how often it may have been started."""

    reference: Reference
    ends: frozenset[str] = frozenset({"succeeded"})
    attempts: int = 1


def damage(seen: Seen, expected: Expected) -> list[Damage]:
    """Everything that is wrong with a job behind an experiment."""
    if seen.job is None:
        return [Damage(LOST, seen.id, "was accepted and nobody knows it")]
    checks = (_ending(seen, expected), _epochs(seen, expected), _log(seen), _figures(seen, expected), _files(seen))
    return [Damage(kind, seen.id, what) for check in checks for kind, what in check]


Wrong = Iterator[tuple[str, str]]


def _ending(seen: Seen, expected: Expected) -> Wrong:
    assert seen.job is not None
    if seen.status not in ENDED:
        yield LOST, f"has not ended: it is {seen.status} ({seen.reason})"
        return
    if not seen.reason:
        yield LOST, f"{seen.status} without a reason"
    if seen.status not in expected.ends:
        yield LOST, f"{seen.status} ({seen.reason}): {seen.job['error']}"
    if seen.status == "succeeded" and seen.reason != expected.reference.reason:
        yield DIFFERING, f"ended {seen.reason} instead of {expected.reference.reason}"
    if seen.job["attempt"] > expected.attempts:
        yield BROKEN, f"was started {seen.job['attempt']} times, at most {expected.attempts} can be explained"


def _epochs(seen: Seen, expected: Expected) -> Wrong:
    epochs = [row["epoch"] for row in seen.rows]
    yield from _twice("epoch", epochs)
    present = sorted(set(epochs))
    wanted = list(range(seen.first_epoch, seen.first_epoch + len(present)))
    if present != wanted:
        yield LOST, f"has the epochs {_short(present)} instead of {_short(wanted)}"
    last = max(expected.reference.figures)
    if seen.status == "succeeded" and wanted and wanted[-1] != last:
        yield LOST, f"ends with epoch {wanted[-1]} instead of {last}"


def _log(seen: Seen) -> Wrong:
    numbers = [event["seq"] for event in seen.events]
    yield from _twice("event", numbers)
    if sorted(set(numbers)) != list(range(1, len(set(numbers)) + 1)):
        yield LOST, f"has gaps in its log: {_short(sorted(set(numbers)))}"
    told = [event["data"]["epoch"] for event in seen.events if event["type"] == "epoch"]
    yield from _twice("epoch event", told)
    if set(told) != {row["epoch"] for row in seen.rows}:
        yield LOST, f"tells of the epochs {_short(sorted(set(told)))} in its log only"
    ends = [event for event in seen.events if event["type"] == "end"]
    if len(ends) > 1:
        yield DOUBLED, f"ended {len(ends)} times"
    if seen.status in ENDED and (not ends or ends[-1] != seen.events[-1] or ends[-1]["data"]["status"] != seen.status):
        yield BROKEN, "has another last word in its log than its end"


def _figures(seen: Seen, expected: Expected) -> Wrong:
    assert seen.job is not None
    for epoch, figures in seen.figures.items():
        wanted = expected.reference.figures.get(epoch)
        if wanted is not None and figures != wanted:
            yield DIFFERING, f"has in epoch {epoch} {figures} instead of {wanted}"
            break
    for event in seen.events:
        if event["type"] == "notice" and event["data"].get("code") == "epoch_differs":
            yield DIFFERING, f"says that an epoch came out differently: {event['data']}"
    weights = [file.sha256 for file in seen.artifacts if file.name == WEIGHTS]
    if seen.status == "succeeded" and weights != [expected.reference.sha256]:
        yield DIFFERING, f"has the weights {weights} instead of {expected.reference.sha256}"
    if not seen.job.get("bit_exact", True):
        yield DIFFERING, f"says that it is not exact: {seen.job['bit_exact_reason']}"


def _files(seen: Seen) -> Wrong:
    for file in (*seen.artifacts, *seen.checkpoints):
        if file.found is None:
            yield LOST, f"lists {file.name}, which is not there"
        elif file.found != file.sha256:
            yield BROKEN, f"lists {file.name} with {file.sha256}, and it has {file.found}"


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Damage]:
    """What an ended job has lost of its finality."""
    return [
        Damage(BROKEN, before["id"], f"had ended, and its {key} became {after[key]} from {before[key]}")
        for key in before
        if before[key] != after[key]
    ]


def unseen(seqs: Iterable[int], events: int, *, who: str, job_id: str) -> list[Damage]:
    """What a watcher missed, or saw twice, of a log of `events` entries."""
    seqs = list(seqs)
    wanted = list(range(1, events + 1))
    if seqs == wanted:
        return []
    kind = DOUBLED if len(seqs) > len(set(seqs)) else LOST
    return [Damage(kind, job_id, f"showed {who} {_short(seqs)} instead of 1..{events}")]


def _twice(what: str, numbers: list[int]) -> Wrong:
    for number, times in Counter(numbers).items():
        if times > 1:
            yield DOUBLED, f"has {what} {number} {times} times"


def _short(numbers: list[int]) -> str:
    return str(numbers) if len(numbers) < 12 else f"[{numbers[0]}, {numbers[1]}, …, {numbers[-1]}] ({len(numbers)})"
