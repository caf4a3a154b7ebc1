"""Phases: settings of the optimization that are trained by in turn, and what follows from them for the whole spec."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, Field, TypeAdapter, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from core.checks import Finding, shown
from core.parts.limits import MAX_EPOCHS, Epochs, LearningRate
from core.registry import PartSettings, optimizers, schedulers
from core.spec.fields import STRICT, OptimizerChoice, SchedulerChoice

MAX_PHASES = 20


class Phase(BaseModel):
    """Some epochs by one optimizer, with a learning rate and a schedule that begin with them."""

    model_config = STRICT

    optimizer: OptimizerChoice = Field(
        default_factory=lambda: optimizers.choose("adam"), json_schema_extra={"default": "adam"}
    )
    # given by the optimizer below: this stands in where that is refused
    lr: LearningRate = Field(default_factory=lambda: 1e-3, description="torch's own for the optimizer when not given.")
    epochs: Epochs
    scheduler: SchedulerChoice = Field(
        default_factory=lambda: schedulers.choose("constant"), json_schema_extra={"default": "constant"}
    )

    @model_validator(mode="before")
    @classmethod
    def _with_rate(cls, data: Any) -> Any:
        """The phase with the learning rate that its optimizer has by itself, unless one is given."""
        if not isinstance(data, dict) or "lr" in data:
            return data
        try:
            chosen = optimizers.choose(data.get("optimizer", "adam"))
        except ValidationError:
            return data  # refused for its optimizer
        return {**data, "lr": usual_rate(chosen)}


def _not_too_long(phases: tuple[Phase, ...]) -> tuple[Phase, ...]:
    if (total := ends(phases)[-1]) > MAX_EPOCHS:
        told = f"the phases have {total:,} epochs together; at most {MAX_EPOCHS:,} are allowed"
        raise PydanticCustomError("too_many_epochs", "{told}", {"told": told})
    return phases


Phases = Annotated[
    tuple[Phase, ...], Field(strict=False, min_length=1, max_length=MAX_PHASES), AfterValidator(_not_too_long)
]
_PHASES: TypeAdapter[tuple[Phase, ...]] = TypeAdapter(Phases)


def usual_rate(optimizer: PartSettings) -> float:
    """The learning rate that this optimizer has by itself."""
    rate = optimizers.get(optimizer.name).facts["lr"]
    return float(rate(**optimizer.settings()) if callable(rate) else rate)


def ends(phases: Sequence[Phase]) -> list[int]:
    """The epoch with which each phase ends."""
    return list(accumulate(one.epochs for one in phases))


def sound(value: Any) -> tuple[Phase, ...] | None:
    """The phases in `value`, if they are right by themselves."""
    try:
        return _PHASES.validate_python(value)
    except ValidationError:
        return None


def followed(phases: Sequence[Phase]) -> dict[str, Any]:
    """What the whole spec says where it has these phases: the first one's settings, and the epochs of all."""
    return {**dict(phases[0]), "epochs": ends(phases)[-1]}


def passed(before: Sequence[Phase], now: Sequence[Phase], *, epoch: int) -> Iterator[Finding]:
    """What a fork behind `epoch` would change in phases that are over by then; the one that runs may end with it."""
    begun = 0
    for place, (old, end) in enumerate(zip(before, ends(before), strict=True)):
        if begun >= epoch:
            return
        new = now[place] if place < len(now) else None
        if new is None or not _may_follow(old, new, left=epoch - begun):
            yield _over(place, old, new, left=epoch - begun)
            return
        begun = end


def _may_follow(old: Phase, new: Phase, *, left: int) -> bool:
    """Whether `new` may stand where `old` stood when `left` epochs are trained since its beginning."""
    if old.epochs <= left:
        return new == old
    return new.epochs > left or (new.epochs == left and _kind(new) == _kind(old))


def _over(place: int, old: Phase, new: Phase | None, *, left: int) -> Finding:
    wanted = old.model_copy(update={"epochs": min(old.epochs, left)}).model_dump(mode="json")
    value = new and new.model_dump(mode="json")
    path = ("phases", place) if new else ("phases",)
    told = (
        f"{min(old.epochs, left)} epochs of phase {place + 1} are trained already where this fork begins, so it stands "
        f"first as it was: {_short(wanted)}. Give it so (more epochs if it should go on), and the new ones behind it."
    )
    return Finding(path, value, told, [wanted])


def _kind(phase: Phase) -> Mapping[str, Any]:
    return {name: value for name, value in phase if name != "epochs"}


def _short(phase: Mapping[str, Any]) -> str:
    named = {name: value["name"] if isinstance(value, dict) else value for name, value in phase.items()}
    return shown(named)
