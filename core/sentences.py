"""Figures and events in a person's words, one line each: what the terminal shows, and plain text over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.job import EventType, Status

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


def size(count: int) -> str:
    """Bytes in a person's units."""
    for power, unit in ((4, "TB"), (3, "GB"), (2, "MB"), (1, "kB")):
        if count >= 1000**power:
            return f"{count / 1000**power:.1f} {unit}"
    return f"{count} B"


def end_lines(data: Mapping[str, Any]) -> list[str]:
    """How a job ended: why, its figures, and what to change."""
    error = data.get("error") or {}
    lines = [f"{data['status']}: {data.get('reason')}"]
    for several in filter(None, (data.get("folds"), data.get("seeds"))):
        lines += rounds_lines(several)
    if test := data.get("test"):
        lines.append(f"test part: {row_text(test)}")
    if sharpness := data.get("sharpness"):
        lines.append(f"sharpness: {sharpness_text(sharpness)}")
    if memory := data.get("memory"):
        lines.append(f"memory: {memory_text(memory)}")
    return [*lines, *filter(None, (error.get("message"), error.get("hint")))]


def event_line(kind: EventType, data: Mapping[str, Any]) -> str | None:
    """What an event says beside its epochs, if that is worth a line."""
    match kind:
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
