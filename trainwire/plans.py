"""A plan in a person's words: what a job would be and cost, as a small table."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from core.sentences import number, plain, size
from core.views import PlanView


def plan_page(plan: PlanView) -> RenderableType:
    """What is to be known of a job before it runs, and below it what is not known and why."""
    table = Table.grid(padding=(0, 2))
    for name, value in _facts(plan).items():
        table.add_row(Text(name, style="bold"), escape(plain(value)))
    return Group(table, *(Text(f"note: {plain(note)}") for note in plan.notes))


def seconds(given: float) -> str:
    """A time in a person's units."""
    for length, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if given >= 2 * length:
            return f"{given / length:.1f} {unit}"
    return f"{given:.3g} s" if given >= 0.1 else f"{1000 * given:.3g} ms"


def _facts(plan: PlanView) -> dict[str, str]:
    samples, place = plan.samples, plan.runs_on
    return {
        "name": str(plan.spec.get("name", "")),
        "parameters": _parameters(plan),
        "samples": f"{number(samples.train)} train, {number(samples.validation)} validate, {number(samples.test)} test",
        "steps": f"{number(plan.steps)}: {number(plan.epochs)} epochs of {number(plan.steps_per_epoch)}",
        "memory": _memory(plan),
        "time": _time(plan),
        "runs on": f"{place.device}: {', '.join(place.workers)}" if place else "no live worker",
    }


def _parameters(plan: PlanView) -> str:
    if plan.parameters is None:
        return "not known"
    if (trained := plan.trainable_parameters) in (None, plan.parameters):
        return number(plan.parameters)
    return f"{number(plan.parameters)}, {number(trained)} of them trained"


def _memory(plan: PlanView) -> str:
    if plan.memory is None:
        return "not known"
    memory = plan.memory.model_dump()
    kinds = ("weights", "gradients", "optimizer", "activations", "data", "baseline")
    parts = ", ".join(f"{kind} {size(memory[f'{kind}_bytes'])}" for kind in kinds if memory[f"{kind}_bytes"])
    return f"peak {size(plan.memory.peak_bytes)} ({parts})"


def _time(plan: PlanView) -> str:
    if (told := plan.seconds) is None:
        return "not known"
    by = "a probe" if told.source == "probe" else f"{number(told.epochs)} epochs of {number(told.jobs)} earlier jobs"
    return f"{seconds(told.total_s)}, {seconds(told.epoch_s)} an epoch (by {by})"
