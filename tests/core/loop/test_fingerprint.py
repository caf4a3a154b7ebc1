"""What makes a resume inexact, and how that is told."""

from __future__ import annotations

import json
from typing import Any

import pytest
import torch

from core.loop import checkpoints, fingerprint
from tests.core.loop.interrupting import Attempt, Bench

JOB: dict[str, Any] = {
    "dataset": "iris",
    "model": {"name": "mlp", "hidden": [8], "dropout": 0.1},
    "batch_size": 40,
    "epochs": 3,
    "early_stopping": {"patience": 50},
    "checkpoints": {"every_s": 0},
}


@pytest.fixture
def first(bench: Bench) -> Attempt:
    return bench.attempt(JOB)


@pytest.mark.parametrize("fact", ["torch", "threads", "processor", "data"])
def test_elsewhere_a_run_goes_on_and_says_why_its_bits_may_differ(
    bench: Bench, first: Attempt, monkeypatch: pytest.MonkeyPatch, fact: str
) -> None:
    here = fingerprint.fingerprint

    def elsewhere(run: Any) -> dict[str, Any]:
        return {**here(run), fact: "another"}

    with monkeypatch.context() as patch:
        patch.setattr("core.loop.resuming.fingerprint", elsewhere)
        patch.setattr("core.loop.checkpoints.fingerprint", elsewhere)
        moved = bench.attempt(JOB, first.checkpoints[0])
    assert moved.resumed
    why = moved.resumed.inexact
    assert why
    was = torch.load(f"{first.checkpoints[0].path}/state.pt", weights_only=True)["fingerprint"][fact]
    assert f"{fact} another instead of {was}" in why
    assert why.count(".") - str(was).count(".") == 1
    card = json.loads((moved.folder / "model.json").read_text())
    assert (card["bit_exact"], card["bit_exact_reason"]) == (False, why)
    back = bench.attempt(JOB, moved.checkpoints[2])
    assert back.resumed
    assert back.resumed.inexact == why, "once inexact, a run stays so"


def test_a_run_that_never_moved_is_exact(bench: Bench, first: Attempt) -> None:
    for told in (first, bench.attempt(JOB, first.checkpoints[2])):
        card = json.loads((told.folder / "model.json").read_text())
        assert (card["bit_exact"], card["bit_exact_reason"]) == (True, None)


def test_a_difference_names_everything_that_differs() -> None:
    then: fingerprint.Fingerprint = {"torch": "2.12.0", "threads": 1, "data": "a"}
    now: fingerprint.Fingerprint = {"torch": "2.13.0", "threads": 2, "data": "a"}
    told = fingerprint.difference(then, now)
    assert told
    assert "torch 2.13.0 instead of 2.12.0 and threads 2 instead of 1" in told
    assert fingerprint.difference(now, now) is None


def test_other_data_have_another_digest(bench: Bench) -> None:
    prints = []
    for seed in (0, 1):
        told = bench.attempt({**JOB, "split": {"seed": seed}, "epochs": 1})
        prints.append(torch.load(f"{told.checkpoints[0].path}/state.pt", weights_only=True)["fingerprint"])
    assert prints[0]["data"] != prints[1]["data"]
    assert {**prints[0], "data": ""} == {**prints[1], "data": ""}


def test_nothing_is_hashed_or_looked_up_before_the_first_checkpoint(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "fingerprint", lambda _: pytest.fail("too early"))
    assert bench.attempt({**JOB, "checkpoints": {"every_s": None}}).rows
