"""A job's events on a terminal: one live bar with the losses; plain lines where there is no terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from typing import Any

from rich.console import Console, RenderableType
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Column

from core.job import EventType, Status
from core.sentences import end_lines, event_line, plain, round_text, row_text
from trainwire.plotting import Losses
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
                self.say(event_line(event.type, event.data))

    def epoch(self, event: Event) -> None:
        """An epoch ended."""
        self.say(f"epoch {event.data['epoch']}/{self.epochs}  {_round(event.data)}{row_text(event.data)}")

    def progress(self, event: Event) -> None:
        """The run moved on within its epoch: not worth a line."""

    def end(self, event: Event) -> Status:
        """The job ended: why, and what to change."""
        for line in end_lines(event.data):
            self.say(line)
        return Status(event.data["status"])

    def say(self, words: str | None) -> None:
        """Print a line, if there is one."""
        if words:
            self.console.print(escape(plain(words)), highlight=False, soft_wrap=True)


class Plotted(Progress):
    """Bars with the curves of the losses under them."""

    losses: Losses | None = None

    def get_renderables(self) -> Iterable[RenderableType]:
        """The bars, then the curves, once there are any."""
        yield from super().get_renderables()
        if self.losses is not None:
            yield self.losses


class Bar(Lines):
    """A bar over all epochs with the latest figures beside it, and the curves of the losses under it."""

    def __init__(self, console: Console, *, epochs: int) -> None:
        super().__init__(console, epochs=epochs)
        self.bar = Plotted(
            TextColumn("epoch {task.fields[epoch]}/{task.total:.0f}"),
            BarColumn(bar_width=14, complete_style="cyan", finished_style="green"),
            TextColumn("{task.fields[row]}", table_column=Column()),
            TimeRemainingColumn(compact=True, elapsed_when_finished=True),
            console=console,
        )
        self.live = self.bar
        self.losses = self.bar.losses = Losses(epochs)
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
        self.losses.add(event.data)
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
