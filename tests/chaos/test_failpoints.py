"""Somebody dies at every named point of submitting, claiming, recording, checkpointing, finishing and cancelling."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import pytest

from core.failpoints import NAMES
from tests.chaos import light
from tests.chaos.doors import EmbeddedDoor, running, settings
from tests.chaos.harm import arm, wait_hit
from tests.chaos.report import Report
from tests.chaos.siege import Siege
from tests.chaos.specs import STEADY, Spec
from tests.sizes import EMBEDDED_ALWAYS

IN_A_TRAINER = tuple(name for name in NAMES if name.endswith(("_rename", "_weights")))
IN_A_SERVICE = tuple(name for name in NAMES if name not in IN_A_TRAINER)
LIGHT: Spec = {"name": "chaos-light", "dataset": "iris", "model": "linear", "epochs": 60}
FULL_ROUNDS = 10
DEEDS = 4
"""So many of all that a service does are cut short when not everything is."""


@pytest.mark.timeout(300)
@pytest.mark.parametrize("door", EMBEDDED_ALWAYS, indirect=True)
def test_a_trainer_that_dies_at_a_named_point_costs_nothing(siege: Siege) -> None:
    with siege.door.being_tended():
        _die_everywhere(siege, IN_A_TRAINER, STEADY)
        siege.verdict("exit at a trainer's failpoints")


@pytest.mark.timeout(300)
def test_a_service_that_dies_at_a_named_point_costs_nothing(light_siege: Siege) -> None:
    """With a trainer that needs no warm-up, since each of these points ends the whole service.

    Which deeds, and whether before or behind the commit, is a draw: what the store holds there is known of every one
    of them (test_dying).
    """
    points = IN_A_SERVICE if light_siege.full else _some(light_siege.rng)
    with light_siege.door.being_tended():
        ends = _die_everywhere(light_siege, points, LIGHT)
        wanted = {job_id: light.reference(LIGHT["epochs"]) for job_id in light_siege.jobs}
        light_siege.verdict("exit at a service's failpoints, light trainer", ends=ends, references=wanted)


@pytest.mark.full
def test_a_whole_service_that_dies_at_a_named_point_costs_nothing(siege: Siege) -> None:
    """The same with the real trainer, over both doors."""
    with siege.door.being_tended():
        ends = _die_everywhere(siege, IN_A_SERVICE, STEADY)
        siege.verdict("exit at a service's failpoints", ends=ends)


@pytest.fixture
def light_siege(
    request: pytest.FixtureRequest, tmp_path: Path, report: Report, seed: int, full: bool
) -> Iterator[Siege]:
    """An experiment on an embedded service of its own, with the light trainer."""
    made = EmbeddedDoor(tmp_path, settings(tmp_path, full=full), module="tests.chaos.light_service")
    for door in running(made):
        yield Siege(door, report, seed=seed, full=full, test=request.node.nodeid)


def _some(rng: random.Random) -> tuple[str, ...]:
    return tuple(rng.sample([rng.choice(list(points)) for _, points in groupby(IN_A_SERVICE, _deed)], DEEDS))


def _deed(point: str) -> str:
    return point.partition(".")[0]


def _die_everywhere(siege: Siege, points: tuple[str, ...], spec: Spec) -> dict[str, tuple[str, ...]]:
    """Let somebody die at each of the points, in a random order; gives how the jobs that were cancelled may end."""
    ends: dict[str, tuple[str, ...]] = {}
    for _ in range(siege.size(1, FULL_ROUNDS)):
        for point in siege.rng.sample(points, len(points)):
            job_id = _die_at(siege, point, spec)
            if point.startswith("cancel."):
                ends[job_id] = ("cancelled",)
    return ends


def _die_at(siege: Siege, point: str, spec: Spec) -> str:
    deed = _deed(point)
    if deed not in ("cancel", "release"):
        arm(siege.door, point)
    job_id = siege.submit(spec)
    if deed in ("cancel", "release"):
        siege.wait_epochs(job_id)
        arm(siege.door, point)
        siege.door.ask("POST", f"/v1/jobs/{job_id}/{'pause' if deed == 'release' else 'cancel'}")
    assert wait_hit(siege.door), f"nobody passed {point}"
    siege.harms += 1
    if deed == "release":
        siege.wait_status(job_id, "paused")
        siege.door.ask("POST", f"/v1/jobs/{job_id}/resume").raise_for_status()
    return job_id
