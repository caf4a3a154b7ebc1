"""How pages say figures: few digits, plain units, and words for what is no number."""

from __future__ import annotations

from typing import Any

import pytest

from api.pages import words


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (None, ""),
        (0.34, "0.3 s"),
        (9.97, "10 s"),
        (42.4, "42 s"),
        (59.7, "1 min 0 s"),
        (185, "3 min 5 s"),
        (7800, "2 h 10 min"),
    ],
)
def test_a_duration_is_told_in_its_own_unit(seconds: float | None, told: str) -> None:
    assert words.duration(seconds) == told


@pytest.mark.parametrize(("count", "told"), [(None, ""), (305, "305 B"), (38_440, "38.4 kB"), (1.2e9, "1.2 GB")])
def test_a_size_is_told_in_its_own_unit(count: float | None, told: str) -> None:
    assert words.size(count) == told


def test_a_figure_has_five_digits_or_the_word_for_what_it_is() -> None:
    row = {"train_loss": 0.123456789, "val_loss": None, "epoch": 1200, "nonfinite": {"val_loss": "nan"}}

    told = {name: words.figure(row, name) for name in ("train_loss", "val_loss", "epoch", "val_accuracy")}
    assert told == {"train_loss": "0.12346", "val_loss": "nan", "epoch": "1,200", "val_accuracy": ""}
    assert words.figure(None, "train_loss") == ""


@pytest.mark.parametrize(
    ("status", "progress", "latest", "done"),
    [
        ("queued", None, None, 0.0),
        ("running", {"epoch": 2, "epochs": 4, "step": 5, "steps": 10}, None, 0.375),
        ("failed", None, {"epoch": 3}, 0.75),
        ("succeeded", None, {"epoch": 3}, 1.0),
    ],
)
def test_how_much_of_a_job_is_done(status: str, progress: Any, latest: Any, done: float) -> None:
    job = {"status": status, "progress": progress, "latest": latest, "spec": {"epochs": 4}}
    assert words.FILTERS["share"](job) == done
