"""The overview as a table that fits the terminal: bars, remaining time, losses and their curves."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from core.epochs import planned_epochs, share_done
from core.job import HELD, Status
from core.sentences import number, plain
from core.strokes import bar, spark
from core.views import JobView
from trainwire.figures import status_text
from trainwire.overview import Overview

_BAR, _CURVE = 10, 10
_WIDEST = 160
_WIDE, _MEDIUM, _NARROW = 130, 76, 52
"""Columns from which there is room for the id and the device, for the curve, and for bars."""


def overview_table(overview: Overview, *, width: int, rows: int | None = None) -> RenderableType:
    """Counts and workers above, then the jobs, at most so many `rows` of them."""
    jobs = overview.ordered()
    names = _columns(width)
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), expand=True, width=min(width, _WIDEST))
    for name in names:
        right = name in {"epoch", "left", "train", "val"}
        table.add_column(name, no_wrap=True, justify="right" if right else "left", ratio=1 if name == "name" else None)
    shown = jobs if rows is None else jobs[: max(1, rows - 4)]
    for job in shown:
        table.add_row(*[_CELLS[name](job, overview) for name in names])
    hidden = len(jobs) - len(shown)
    below = Text(f"… and {hidden} more: trainwire jobs" if hidden else "", style="dim")
    empty = Text("No jobs yet: trainwire submit examples/01_digits_mlp.json", style="dim")
    return Group(_head(overview), table if jobs else empty, below)


def _columns(width: int) -> list[str]:
    if width < _NARROW:
        return ["name", "status", "epoch", "val"]
    if width < _MEDIUM:
        return ["name", "status", "done", "epoch", "left", "val"]
    if width < _WIDE:
        return ["name", "status", "done", "epoch", "left", "train", "val", "curve"]
    return ["id", "name", "status", "done", "epoch", "left", "train", "val", "curve", "device"]


def _head(overview: Overview) -> Text:
    """How many run and wait, and who works."""
    counts = {
        "running": overview.count(*HELD),
        "queued": overview.count(Status.QUEUED),
        "paused": overview.count(Status.PAUSED),
    }
    head = Text(" · ".join(f"{count} {name}" for name, count in counts.items()), style="bold", no_wrap=True)
    head.overflow = "ellipsis"
    for worker in overview.workers:
        devices = ", ".join(worker.devices)
        head.append(f"   {plain(worker.name)} ({devices}) {len(worker.jobs)}/{worker.slots}", style="not bold")
    if not overview.workers:
        head.append("   no worker is alive", style="not bold yellow")
    return head


def _name(job: JobView, _: Overview) -> RenderableType:
    return Text(plain(job.name), no_wrap=True, overflow="ellipsis")


_SHARED = {"status", "progress", "latest", "spec"}
"""What tells how much of a job is done: not all else that it says, many times a second."""


def _done(job: JobView, _: Overview) -> RenderableType:
    style = "green" if job.status is Status.SUCCEEDED else "cyan"
    full = bar(share_done(job.model_dump(include=_SHARED)), _BAR)
    return Text(full, style=style) + Text("─" * (_BAR - len(full)), style="dim")


def _left(job: JobView, _: Overview) -> RenderableType:
    seconds = job.progress.eta_s if job.progress is not None and job.status in HELD else None
    if seconds is None:
        return ""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _epoch(job: JobView, _: Overview) -> RenderableType:
    return f"{job.latest.epoch if job.latest else 0}/{planned_epochs(job.spec)}"


def _loss(name: str) -> Callable[[JobView, Overview], RenderableType]:
    def shown(job: JobView, _: Overview) -> RenderableType:
        latest = job.latest
        value = None if latest is None else getattr(latest, name)
        odd = (latest.nonfinite or {}).get(name) if latest is not None else None
        return odd or ("" if value is None else number(value))

    return shown


def _curve(job: JobView, overview: Overview) -> RenderableType:
    curve = overview.curves.get(job.id)
    return Text(spark(list(curve.values), _CURVE) if curve else "", style="magenta")


def _device(job: JobView, _: Overview) -> RenderableType:
    return job.worker.device or "" if job.worker else ""


_CELLS: Mapping[str, Callable[[JobView, Overview], RenderableType]] = {
    "id": lambda job, _: job.id,
    "name": _name,
    "status": lambda job, _: status_text(job, is_short=True),
    "done": _done,
    "epoch": _epoch,
    "left": _left,
    "train": _loss("train_loss"),
    "val": _loss("val_loss"),
    "curve": _curve,
    "device": _device,
}
