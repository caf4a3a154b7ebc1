"""What a terminal shows of a job, and what a pipe gets."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from core.job import EventType, Status
from core.sentences import number, row_text
from trainwire import bars
from trainwire.watching import Event

STARTED = {"device": "cpu", "parameters": 9610, "train_samples": 1437, "val_samples": 360, "attempt": 1}
EPOCH = {"epoch": 2, "train_loss": 0.25, "val_loss": 0.5, "val_accuracy": 0.875, "lr": 0.1, "epoch_s": 0.01}
END = {"status": "succeeded", "reason": "completed"}

CURSOR_BACK = "\x1b[?25h"


def shown(*events: tuple[str, dict[str, Any]], terminal: bool, width: int = 80, height: int = 24) -> tuple[str, Status]:
    console = Console(file=io.StringIO(), force_terminal=terminal, width=width, height=height, color_system=None)
    told = [Event(type=EventType(kind), data=data, seq=seq) for seq, (kind, data) in enumerate(events, start=1)]
    ended = bars.show(told, console=console, epochs=4)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().replace(CURSOR_BACK, ""), ended


def test_a_pipe_gets_a_line_an_epoch() -> None:
    progress = {"epoch": 2, "epochs": 4, "step": 1, "steps": 2}
    text, ended = shown(("started", STARTED), ("progress", progress), ("epoch", EPOCH), ("end", END), terminal=False)
    assert text.splitlines() == [
        "training on cpu: 9,610 parameters, 1,437 samples to learn from, 360 to check on",
        "epoch 2/4  train_loss 0.2500  val_loss 0.5000  val_accuracy 0.8750",
        "succeeded: completed",
    ]
    assert ended is Status.SUCCEEDED


@pytest.mark.parametrize("terminal", [True, False])
def test_folds_are_named_beside_their_epochs_and_summed_up_at_the_end(*, terminal: bool) -> None:
    figures = [{"fold": fold, "epoch": 2 * fold, "val_loss": 0.5 * fold} for fold in (1, 2)]
    end = {**END, "folds": {"figures": figures, "mean": {"val_loss": 0.75}, "std": {"val_loss": 0.3536}}}
    text, _ = shown(("epoch", {**EPOCH, "fold": 1}), ("end", end), terminal=terminal)
    assert "fold 1  train" in text
    assert text.splitlines()[-5:] == [
        "succeeded: completed",
        "fold 1 (epoch 2): val_loss 0.5000",
        "fold 2 (epoch 4): val_loss 1.0000",
        "mean: val_loss 0.7500",
        "std: val_loss 0.3536",
    ]


@pytest.mark.parametrize("terminal", [True, False])
def test_seeds_are_named_beside_their_epochs_and_end_with_an_interval(*, terminal: bool) -> None:
    figures = [{"seed": seed, "epoch": 2 * seed, "val_loss": None, "nonfinite": {"val_loss": "nan"}} for seed in (0, 1)]
    missing = {"auroc": None, "nonfinite": {"auroc": "nan"}}
    mean, margin = {"val_loss": 0.75, **missing}, {"val_loss": 0.05, **missing}
    end = {**END, "seeds": {"figures": figures, "mean": mean, "std": {"val_loss": 0.02}, "margin": margin}}
    text, _ = shown(("epoch", {**EPOCH, "seed": 0}), ("end", end), terminal=terminal)
    assert "seed 0  train" in text
    assert text.splitlines()[-4:] == [
        "seed 0 (epoch 0): val_loss nan",
        "seed 1 (epoch 2): val_loss nan",
        "mean ± 95 %: val_loss 0.7500 ± 0.0500  auroc nan",
        "std: val_loss 0.0200",
    ]


@pytest.mark.parametrize("terminal", [True, False])
def test_how_sharp_the_minimum_is_stands_behind_the_end(*, terminal: bool) -> None:
    sharpness = {"cost": 0.25, "mean": 0.125, "max": None, "samples": 1437, "nonfinite": {"max": "inf"}}
    text, _ = shown(("epoch", EPOCH), ("end", {**END, "sharpness": sharpness}), terminal=terminal)
    assert text.splitlines()[-1] == "sharpness: the cost 0.2500 rises by 0.1250, at most inf (1,437 samples)"


@pytest.mark.parametrize("terminal", [True, False])
def test_the_figures_of_a_test_part_are_told_behind_the_end(*, terminal: bool) -> None:
    started = {**STARTED, "test_samples": 180}
    end = {**END, "test": {"loss": 0.25, "auroc": None, "nonfinite": {"auroc": "nan"}}}
    text, _ = shown(("started", started), ("end", end), terminal=terminal)
    assert "360 to check on, 180 to test on at the end" in text.replace("\n", " ")
    assert text.splitlines()[-2:] == ["succeeded: completed", "test part: loss 0.2500  auroc nan"]


@pytest.mark.parametrize(
    ("width", "height", "is_drawn"), [(80, 24, True), (40, 24, True), (80, 14, True), (80, 13, False), (30, 24, False)]
)
def test_the_losses_are_curves_under_the_bar_where_there_is_room(*, width: int, height: int, is_drawn: bool) -> None:
    rows = [("epoch", {"epoch": number, "train_loss": 1.0 / number, "val_loss": 1.1 / number}) for number in (1, 2, 4)]
    text, _ = shown(("started", STARTED), *rows, ("end", END), terminal=True, width=width, height=height)
    lines = text.split("\x1b[2K")[-1].splitlines()
    assert any("\u2801" <= letter <= "\u28ff" for letter in text) == is_drawn
    assert all(len(line) <= width for line in lines if "\x1b" not in line)
    if is_drawn:
        assert any(line.startswith("   1.1000 ") for line in text.splitlines())
        assert any("train_loss val_loss" in line for line in text.splitlines())


def test_the_first_epoch_alone_is_no_curve() -> None:
    text, _ = shown(("epoch", {**EPOCH, "epoch": 1}), ("end", END), terminal=True)
    assert not any("\u2801" <= letter <= "\u28ff" for letter in text)


def test_a_terminal_gets_one_bar_that_fits_80_columns() -> None:
    text, _ = shown(("started", STARTED), ("epoch", EPOCH), ("end", END), terminal=True)
    bar = next(line for line in reversed(text.splitlines()) if "epoch 2/4" in line)
    assert "train 0.2500  val 0.5000  accuracy 0.8750" in bar
    assert "…" not in bar
    assert text.splitlines()[-1] == "succeeded: completed"


def test_a_bar_says_that_it_waits_until_a_worker_has_the_job() -> None:
    text, _ = shown(("status", {"status": "queued", "reason": None}), ("end", END), terminal=True)
    assert "waiting for a worker" in text
    text, _ = shown(("started", STARTED), ("end", END), terminal=True)
    assert "waiting" not in text.splitlines()[-2]


@pytest.mark.parametrize("terminal", [True, False])
def test_a_failure_says_why_and_what_to_change(*, terminal: bool) -> None:
    error = {"code": "diverged", "message": "train_loss became inf.", "hint": "Try a lower lr."}
    end = {"status": "failed", "reason": "diverged", "error": error}
    text, ended = shown(("end", end), terminal=terminal)
    assert text.splitlines()[-3:] == ["failed: diverged", "train_loss became inf.", "Try a lower lr."]
    assert ended is Status.FAILED


def test_lines_of_the_run_and_second_starts_are_told() -> None:
    lost = {"status": "queued", "reason": "lease_expired", "by": "service"}
    notice = {"code": "epoch_differs", "message": "Epoch 1 differs."}
    text, _ = shown(("log", {"line": "hi"}), ("status", lost), ("notice", notice), ("end", END), terminal=False)
    assert text.splitlines()[:3] == ["hi", "waits again: lease_expired", "note: Epoch 1 differs."]


def test_why_a_job_waits_again_is_told_with_what_happened() -> None:
    died = {
        "status": "queued",
        "reason": "killed_by_signal",
        "by": "worker",
        "error": {"code": "killed_by_signal", "message": "The run was killed by SIGKILL."},
    }
    text, _ = shown(("status", died), ("end", END), terminal=False)
    assert text.splitlines()[0] == "waits again: killed_by_signal: The run was killed by SIGKILL."


def test_a_pause_and_its_end_are_told_and_the_watch_goes_on() -> None:
    told: list[tuple[str, dict[str, Any]]] = [
        ("status", {"status": "pausing", "reason": None, "by": "user"}),
        ("status", {"status": "paused", "reason": "paused_by_user", "by": "worker"}),
        ("status", {"status": "queued", "reason": None, "by": "user"}),
        ("status", {"status": "running", "reason": None, "by": "worker"}),
        ("started", {**STARTED, "resumed": {"checkpoint": "ckpt_1", "epoch": 7, "step": 120, "bit_exact": True}}),
        ("end", END),
    ]
    text, ended = shown(*told, terminal=False)
    assert text.splitlines() == [
        "pausing: the run goes on to its next step, and a checkpoint",
        "paused: paused_by_user; goes on with: trainwire resume",
        "goes on from epoch 7, step 120 on cpu",
        "succeeded: completed",
    ]
    assert ended is Status.SUCCEEDED


def test_a_bar_says_that_the_job_is_paused() -> None:
    paused = {"status": "paused", "reason": "paused_by_user", "by": "worker"}
    text, _ = shown(("started", STARTED), ("epoch", EPOCH), ("status", paused), ("end", END), terminal=True)
    assert any("epoch 2/4" in line and line.rstrip().endswith("paused --:--") for line in text.splitlines()), text


def test_a_pause_that_is_taken_back_is_told() -> None:
    back = {"status": "running", "reason": None, "by": "user"}
    assert shown(("status", back), ("end", END), terminal=False)[0].splitlines()[0] == "runs on"


def test_a_start_elsewhere_says_why_it_is_not_bit_exact() -> None:
    why = "It goes on with 2 threads, not 1."
    resumed = {"epoch": 3, "step": 0, "bit_exact": False, "bit_exact_reason": why}
    text, _ = shown(("started", {**STARTED, "resumed": resumed}), ("end", END), terminal=False)
    told = "goes on from epoch 3, step 0 on cpu (not bit-exact: It goes on with 2 threads, not 1.)"
    assert text.splitlines()[0] == told


def test_what_a_run_prints_cannot_steer_the_terminal() -> None:
    text, _ = shown(("log", {"line": "\x1b[2J[red]\rsucceeded: completed\n"}), ("end", END), terminal=False)
    assert "\x1b" not in text
    assert "\r" not in text
    assert text.splitlines()[0].startswith("\N{REPLACEMENT CHARACTER}[2J[red]")
    assert len(text.splitlines()) == 2


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.25, "0.2500"), (0.0, "0.0000"), (1e-5, "1.000e-05"), (3e9, "3.000e+09"), (9610, "9,610"), ("inf", "inf")],
)
def test_numbers_show_the_digits_that_matter(value: object, text: str) -> None:
    assert number(value) == text


def test_a_figure_that_json_cannot_hold_is_named() -> None:
    row = {"epoch": 1, "train_loss": None, "val_loss": 1.0, "nonfinite": {"train_loss": "nan"}}
    assert row_text(row) == "train_loss nan  val_loss 1.0000"
