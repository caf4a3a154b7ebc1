"""Jobs and figures in a person's words: numbers, one-line summaries, tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from core.epochs import planned_epochs
from core.job import Status
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
_TIMES = {"epoch", "fold", "seed", "epoch_s", "samples_per_s", "data_wait_s", "lr", "nonfinite", "best"}


def number(value: object) -> str:
    """Four digits that matter."""
    if isinstance(value, float):
        return f"{value:.4f}" if 1e-3 <= abs(value) < 1e4 or value == 0 else f"{value:.3e}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def plain(text: str) -> str:
    """`text` on one line and without control characters: what others wrote must not steer a terminal."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)


def row_text(row: Mapping[str, Any]) -> str:
    """An epoch's losses and metrics on one line."""
    shown = {**row, **(row.get("nonfinite") or {})}
    return "  ".join(f"{name} {number(value)}" for name, value in shown.items() if name not in _TIMES)


def round_text(row: Mapping[str, Any]) -> str:
    """Which fold or seed a row is of, if there are several."""
    return " ".join(f"{name} {row[name]}" for name in ("fold", "seed") if row.get(name) is not None)


def rounds_lines(rounds: Mapping[str, Any]) -> list[str]:
    """The figures of each fold or seed, their mean (of seeds with its 95 % interval) and standard deviation."""
    rows = [f"{round_text(row)} (epoch {row['epoch']}): {row_text(row)}" for row in rounds["figures"]]
    mean = f"mean ± 95 %: {_interval(rounds)}" if rounds.get("margin") else f"mean: {row_text(rounds['mean'])}"
    return [*rows, mean, f"std: {row_text(rounds['std'])}"]


def _interval(rounds: Mapping[str, Any]) -> str:
    """Each mean with its margin; one that is no number has none."""
    mean, margin = rounds["mean"], rounds["margin"]
    known = [name for name, value in margin.items() if isinstance(value, float)]
    given = {name: f"{number(mean[name])} ± {number(margin[name])}" for name in known}
    return row_text({**mean, **given})


def sharpness_text(sharpness: Mapping[str, Any]) -> str:
    """How sharp a minimum is, on one line."""
    shown = {**sharpness, **(sharpness.get("nonfinite") or {})}
    mean, largest, cost = (number(shown[name]) for name in ("mean", "max", "cost"))
    return f"the cost {cost} rises by {mean}, at most {largest} ({number(shown['samples'])} samples)"


def memory_text(memory: Mapping[str, Any]) -> str:
    """What a run took, on one line."""
    kept = ("weights", "gradients", "optimizer")
    tensors = ", ".join(f"{name} {size(memory[f'{name}_bytes'])}" for name in kept)
    return f"{tensors}; peak {size(memory['peak_bytes'])}, {size(memory['baseline_bytes'])} of it before it began"


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


def size(count: int) -> str:
    """Bytes in a person's units."""
    for power, unit in ((3, "GB"), (2, "MB"), (1, "kB")):
        if count >= 1000**power:
            return f"{count / 1000**power:.1f} {unit}"
    return f"{count} B"


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
    if "predict" in job.spec:
        return ""
    done = job.latest.epoch if job.latest else 0
    return f"{done}/{planned_epochs(job.spec)}"


def _age(at: datetime) -> str:
    seconds = int((datetime.now(UTC) - at).total_seconds())
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{max(0, seconds)} s"
