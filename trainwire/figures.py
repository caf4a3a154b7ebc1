"""Jobs and figures in a person's words: numbers, one-line summaries, tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from core.epochs import planned_epochs, predicts
from core.job import Status
from core.sentences import (
    memory_text,
    number,
    plain,
    rounds_lines,
    row_text,
    sharpness_text,
    size,
)
from core.views import CatalogView, CheckpointView, EpochView, HeldOutView, JobView, SharpnessView

_COLOURS = {
    Status.SUCCEEDED: "green",
    Status.FAILED: "red",
    Status.CANCELLED: "yellow",
    Status.RUNNING: "cyan",
    Status.PAUSED: "blue",
}
_WIDE, _MEDIUM = 120, 90
"""Columns of a terminal on which a list has room for the figures, and for the reasons."""
_YIELDING = {"name", "best"}


def found_text(numbers: Mapping[str, float]) -> str:
    """The numbers that a run found where its spec says "auto"."""
    return "  ".join(f"{name} {value:g}" for name, value in numbers.items())


def status_text(job: JobView, *, is_short: bool = False) -> Text:
    """A job's status, with its reason unless it is to be short, coloured."""
    words = f"{job.status}: {job.status_reason}" if job.status_reason and not is_short else f"{job.status}"
    return Text(words, style=_COLOURS.get(job.status, ""))


def jobs_table(jobs: Iterable[JobView], *, width: int) -> Table:
    """The jobs, one a line with its whole id; what does not fit into `width` is left out."""
    columns = ["id", "name", "status", "epoch", "best", "age"]
    if width < _WIDE:
        columns.remove("best")
    table = Table(box=None, pad_edge=False)
    for name in columns:
        table.add_column(name, no_wrap=name not in _YIELDING)
    for job in jobs:
        cells = _cells(job, is_short=width < _MEDIUM)
        table.add_row(*[cells[name] for name in columns])
    return table


def _cells(job: JobView, *, is_short: bool) -> dict[str, RenderableType]:
    return {
        "id": job.id,
        "name": _yielding(plain(job.name)),
        "status": status_text(job, is_short=is_short),
        "epoch": _epoch(job),
        "best": _yielding(row_text(_given(job.best)) if job.best else ""),
        "age": _age(job.created_at),
    }


def _yielding(text: str) -> Text:
    """Text that is cut where a terminal is narrow."""
    return Text(text, no_wrap=True, overflow="ellipsis")


def job_page(job: JobView) -> RenderableType:
    """All that is to be known of a job at a glance."""
    table = Table.grid(padding=(0, 2))
    for name, value in _facts(job).items():
        table.add_row(Text(name, style="bold"), value)
    return table


def checkpoints_table(checkpoints: Iterable[CheckpointView]) -> Table:
    """Where a job can go on, one a line."""
    table = Table(box=None, pad_edge=False)
    for name in ("id", "epoch", "step", "taken at", "attempt", "size", "age"):
        table.add_column(name, no_wrap=True)
    for one in checkpoints:
        age = _age(one.created_at) if one.created_at else ""
        table.add_row(one.id, str(one.epoch), str(one.step), one.occasion, str(one.attempt), size(one.bytes), age)
    return table


def catalog_page(catalog: CatalogView) -> RenderableType:
    """Every part with its line."""
    sections: list[RenderableType] = []
    for kind in type(catalog).model_fields:
        table = Table.grid(padding=(0, 2))
        for part in getattr(catalog, kind):
            settings = ", ".join(name for name in part.settings.get("properties", {}) if name != "name")
            table.add_row(f"  {part.name}", part.summary, Text(settings, style="dim"))
        sections += [Text(kind, style="bold"), table]
    return Group(*sections)


def _facts(job: JobView) -> dict[str, RenderableType]:
    facts: dict[str, RenderableType | None] = {
        "id": job.id,
        "name": escape(plain(job.name)),
        "status": status_text(job),
        "error" if job.status.ended else "last error": escape(plain(job.error.message)) if job.error else None,
        "hint": escape(plain(job.error.hint)) if job.error and job.error.hint else None,
        "waits for": job.queue.waiting_for,
        "worker": f"{job.worker.name} ({job.worker.device})" if job.worker else None,
        "epoch": _epoch(job),
        "latest": row_text(_given(job.latest)) if job.latest else None,
        "best": f"epoch {job.best.epoch}: {row_text(_given(job.best))}" if job.best else None,
        "test": row_text(_given(job.test)) if job.test else None,
        "sharpness": sharpness_text(_given(job.sharpness)) if job.sharpness else None,
        "folds": "\n".join(rounds_lines(job.folds.model_dump())) if job.folds else None,
        "seeds": "\n".join(rounds_lines(job.seeds.model_dump())) if job.seeds else None,
        "found": found_text(job.resolved) if job.resolved else None,
        "memory": memory_text(job.memory.model_dump()) if job.memory else None,
        "created": f"{job.created_at:%Y-%m-%d %H:%M:%S} UTC",
        "attempt": str(job.attempt),
        "goes on": f"behind epoch {job.parent.epoch or 0} of {job.parent.id}" if job.parent else None,
        "starts from": _start(job.spec.get("init_from")),
        "predicts": _predicted(job.spec.get("predict")),
        "bit-exact": None if job.bit_exact else f"no: {escape(plain(job.bit_exact_reason or ''))}",
    }
    return {name: fact for name, fact in facts.items() if fact}


def _start(init: Mapping[str, Any] | None) -> str | None:
    """Whose weights a job started from, and whether all of them."""
    if init is None:
        return None
    source = next(f"{name} {init[name]}" for name in ("job", "upload", "file") if init.get(name) is not None)
    return escape(plain(f"the weights of {source}{'' if init.get('strict') else ', as far as they fit'}"))


def _predicted(asked: Mapping[str, Any] | None) -> str | None:
    """What a job predicts, and by whose weights."""
    if asked is None:
        return None
    return f"{number(asked['facts']['rows'])} rows of {asked['dataset']} by the weights of {asked['job']}"


def _given(row: EpochView | HeldOutView | SharpnessView) -> dict[str, Any]:
    return row.model_dump(exclude_none=True)


def _epoch(job: JobView) -> str:
    if predicts(job.spec):
        return ""
    done = job.latest.epoch if job.latest else 0
    return f"{done}/{planned_epochs(job.spec)}"


def _age(at: datetime) -> str:
    seconds = int((datetime.now(UTC) - at).total_seconds())
    for length, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= length:
            return f"{seconds // length} {unit}"
    return f"{max(0, seconds)} s"
