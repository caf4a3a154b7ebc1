"""A job's events on a terminal: one live bar with the losses; plain lines where there is no terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Column

from core.job import EventType, Status
from trainwire.figures import memory_text, number, plain, round_text, rounds_lines, row_text, sharpness_text
from trainwire.watching import Event

WAITING = "waiting for a worker"
ROWS = {Status.QUEUED: WAITING, Status.PAUSING: "pausing", Status.PAUSED: "paused", Status.CANCELLING: "cancelling"}
"""What stands beside a bar that does not move."""


def show(events: Iterable[Event], *, console: Console, epochs: int) -> Status:
    """Show events until the job's end; returns how it ended."""
    scene = Bar(console, epochs=epochs) if console.is_terminal else Lines(console, epochs=epochs)
    with scene.live:
        for event in events:
            if event.type is EventType.END:
                break
            scene.show(event)
    return scene.end(event)


class Lines:
    """One line an epoch, and one for whatever else is worth saying."""

    def __init__(self, console: Console, *, epochs: int) -> None:
        self.console = console
        self.epochs = epochs
        self.live: Progress | nullcontext[None] = nullcontext()

    def show(self, event: Event) -> None:
        """Show one event."""
        match event.type:
            case EventType.EPOCH:
                self.epoch(event)
            case EventType.PROGRESS:
                self.progress(event)
            case _:
                self.say(_words(event))

    def epoch(self, event: Event) -> None:
        """An epoch ended."""
        self.say(f"epoch {event.data['epoch']}/{self.epochs}  {_round(event.data)}{row_text(event.data)}")

    def progress(self, event: Event) -> None:
        """The run moved on within its epoch: not worth a line."""

    def end(self, event: Event) -> Status:
        """The job ended: why, and what to change."""
        ended = Status(event.data["status"])
        error = event.data.get("error") or {}
        self.say(f"{ended}: {event.data.get('reason')}")
        for several in filter(None, (event.data.get("folds"), event.data.get("seeds"))):
            for line in rounds_lines(several):
                self.say(line)
        if test := event.data.get("test"):
            self.say(f"test part: {row_text(test)}")
        if sharpness := event.data.get("sharpness"):
            self.say(f"sharpness: {sharpness_text(sharpness)}")
        if memory := event.data.get("memory"):
            self.say(f"memory: {memory_text(memory)}")
        for words in (error.get("message"), error.get("hint")):
            self.say(words)
        return ended

    def say(self, words: str | None) -> None:
        """Print a line, if there is one."""
        if words:
            self.console.print(escape(plain(words)), highlight=False, soft_wrap=True)


class Bar(Lines):
    """A bar over all epochs with the latest figures beside it."""

    def __init__(self, console: Console, *, epochs: int) -> None:
        super().__init__(console, epochs=epochs)
        self.bar = Progress(
            TextColumn("epoch {task.fields[epoch]}/{task.total:.0f}"),
            BarColumn(bar_width=14, complete_style="cyan", finished_style="green"),
            TextColumn("{task.fields[row]}", table_column=Column()),
            TimeRemainingColumn(compact=True, elapsed_when_finished=True),
            console=console,
        )
        self.live = self.bar
        self.task = self.bar.add_task("", total=epochs, epoch=0, row=WAITING)

    def show(self, event: Event) -> None:
        """Show one event; while the job waits or is to stop, the bar says so."""
        if event.type is EventType.STARTED:
            self.bar.update(self.task, row="")
        elif event.type is EventType.STATUS:
            self.bar.update(self.task, row=ROWS.get(event.data["status"], ""))
        super().show(event)

    def epoch(self, event: Event) -> None:
        """Move the bar and show the figures."""
        done = event.data["epoch"]
        self.bar.update(self.task, completed=done, epoch=done, row=_round(event.data) + _short(row_text(event.data)))

    def progress(self, event: Event) -> None:
        """Move the bar within the epoch."""
        here = event.data
        self.bar.update(
            self.task, total=here["epochs"], completed=here["epoch"] - 1 + here["step"] / max(1, here["steps"])
        )


def _round(row: Mapping[str, Any]) -> str:
    return f"{told}  " if (told := round_text(row)) else ""


def _short(row: str) -> str:
    """A row that fits beside the bar on 80 columns."""
    return row.replace("_loss ", " ").replace("val_", "")


def _words(event: Event) -> str | None:
    data = event.data
    match event.type:
        case EventType.STARTED:
            return _started(data)
        case EventType.STATUS:
            return _stands(data)
        case EventType.NOTICE:
            return f"note: {data['message']}"
        case EventType.LOG:
            return str(data["line"])
    return None


def _started(data: Mapping[str, Any]) -> str:
    if resumed := data.get("resumed"):
        words = f"goes on from epoch {resumed['epoch']}, step {resumed['step']} on {data['device']}"
        return words if resumed["bit_exact"] else f"{words} (not bit-exact: {resumed['bit_exact_reason']})"
    if (rows := data.get("predict_samples")) is not None:
        return f"predicting on {data['device']}: {number(rows)} rows"
    words = (
        f"training on {data['device']}: {number(data['parameters'])} parameters, "
        f"{number(data['train_samples'])} samples to learn from, {number(data['val_samples'])} to check on"
    )
    tested = data.get("test_samples")
    return f"{words}, {number(tested)} to test on at the end" if tested else words


def _stands(data: Mapping[str, Any]) -> str | None:
    """What a change of status means for whoever watches, if it is news."""
    match data["status"]:
        case Status.QUEUED if data.get("reason"):
            error = data.get("error") or {}
            return ": ".join(filter(None, ["waits again", data["reason"], error.get("message")]))
        case Status.PAUSED:
            return f"paused: {data.get('reason')}; goes on with: trainwire resume"
        case Status.PAUSING | Status.CANCELLING as doing:
            return f"{doing}: the run goes on to its next step, and a checkpoint"
        case Status.RUNNING if data.get("by") == "user":
            return "runs on"
    return None
