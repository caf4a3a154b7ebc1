"""A fork's spec: its parent's with a JSON Merge Patch (RFC 7396) over it, as far as the weights can go on with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from core.checks import Finding, problems, refuse, shown
from core.errors import SpecRefused
from core.job import Problem
from core.registry import PartSettings, Registry, datasets, losses, models, optimizers, schedulers
from core.spec.auto import AUTO, AUTOS
from core.spec.devices import DEVICE_CHECKS
from core.spec.fields import Loader, Resources
from core.spec.job_spec import JobSpec, parse_spec
from core.spec.outline import Outline, Unsound
from core.spec.phases import Phase, ends, passed, sound
from core.spec.size import oversized

Section = TypeVar("Section", bound=BaseModel)

PARTS: Mapping[str, Registry] = {
    "dataset": datasets,
    "model": models,
    "loss": losses,
    "optimizer": optimizers,
    "scheduler": schedulers,
}
DATA = ("split", "preprocess")
"""With the dataset, what makes the numbers that a run is trained on."""
_SHARED_OUT = {"devices", "nodes", "sharding"}
MAX_DEPTH = 16
"""No spec is as deep; a patch that is, is refused for what it holds there."""


def patched(spec: Mapping[str, Any], patch: Mapping[str, Any], *, epoch: int) -> JobSpec:
    """`spec` with `patch` over it, for a job that goes on behind `epoch`; raises SpecRefused, pointers under /patch.

    Objects are merged, lists and plain values replace; null removes a setting, so that its default comes back (and no
    patch can give one the value null that has another default: `checkpoints.every_s`). A part of another name replaces
    the old one whole, settings and all; so does a plain name. Another optimizer without an `lr` takes its own default
    `lr`, and `checkpoints.monitor` goes on following `early_stopping.monitor` where it did.

    Refused is what the trained weights cannot go on with: other data, another split or scaling, a model or a loss that
    changes their shapes (a model's fact `patchable` names the settings that do not), phases other than those that are
    over, `epochs` or phases that leave nothing to train, and "auto", which is found on first weights.
    """
    try:
        return _patched(parse_spec(dict(spec)), patch, epoch=epoch)
    except SpecRefused as refused:
        told = [replace(one, pointer=f"/patch{one.pointer}") for one in refused.problems]
        raise SpecRefused(told) from None


def _patched(old: JobSpec, patch: Any, *, epoch: int) -> JobSpec:
    if not isinstance(patch, Mapping):
        words = f"{shown(patch)} is no patch: give an object with the settings to change."
        raise SpecRefused(_told([Finding((), patch, words, sorted(JobSpec.model_fields))]))
    if (count := len(old.rounds)) > 1:
        kind, one = ("seeds", "with that seed") if old.seeds > 1 else ("folds", "with split.fold")
        words = (
            f"This job trains {count} {kind} anew one after another, so no epoch of it is one to go on behind "
            f"with other settings. Submit a job of one of them ({one}), and fork that."
        )
        raise SpecRefused(_told([Finding((), None, words)]))
    if large := list(oversized(patch)):
        raise SpecRefused(_told(large))
    before = old.model_dump(mode="json")
    wished = _wished(before, patch, usual="val_loss" if old.val_samples else "train_loss")
    changes = list(_changes(old, wished, epoch=epoch))
    # what is refused already is judged no further: the rest is, by what stays
    judged = {**wished, **{str(one.path[0]): before[str(one.path[0])] for one in changes}}
    told = _told([_within(patch, one) for one in changes])
    try:
        spec = parse_spec(judged)
    except SpecRefused as refused:
        raise SpecRefused([*told, *refused.problems]) from None
    if told:
        raise SpecRefused(told)
    return spec


def _told(findings: list[Finding]) -> list[Problem]:
    return problems(refuse("patch", findings)) if findings else []


def _wished(before: dict[str, Any], patch: Mapping[str, Any], *, usual: str) -> dict[str, Any]:
    """The merged spec, without the settings of the old one that followed from what is no longer there.

    `usual` is the figure by which checkpoints are told where nobody chose one.
    """
    base = {**before, "checkpoints": dict(before["checkpoints"])}
    stopping = before["early_stopping"]
    if before["checkpoints"]["monitor"] == (stopping["monitor"] if stopping else usual):
        del base["checkpoints"]["monitor"]
    for field in PARTS:
        if _is_renamed(patch.get(field), before[field]["name"]):
            del base[field]
    wished: dict[str, Any] = merged(base, patch)
    if wished.get("phases") is not None and "phases" in patch:
        wished = {name: value for name, value in wished.items() if name in patch or name not in Phase.model_fields}
    optimizer = _chosen(optimizers, wished.get("optimizer", "adam"))
    if optimizer and optimizer.name != before["optimizer"]["name"] and "lr" not in patch:
        wished.pop("lr", None)
    return wished


def merged(target: Any, patch: Any, *, depth: int = 0) -> Any:
    """`target` with `patch` over it, by RFC 7396."""
    if not isinstance(patch, Mapping) or depth > MAX_DEPTH:
        return patch
    base = target if isinstance(target, Mapping) else {}
    kept = {key: value for key, value in base.items() if key not in patch}
    given = {key: value for key, value in patch.items() if value is not None}
    return kept | {key: merged(base.get(key), value, depth=depth + 1) for key, value in given.items()}


def _is_renamed(value: Any, name: str) -> bool:
    return isinstance(value, Mapping) and value.get("name", name) != name


def _changes(old: JobSpec, wished: Mapping[str, Any], *, epoch: int) -> Iterator[Finding]:
    """What the weights cannot go on with, as far as it is sound in itself."""
    if dataset := _chosen(datasets, wished.get("dataset")):
        yield from _differences("dataset", old.dataset, dataset, why="the data")
    for section in DATA:
        before: BaseModel = getattr(old, section)
        if (now := _valid(type(before), wished.get(section, {}))) is not None:
            yield from _differences(section, before, now, why="the data")
    if (loader := _valid(Loader, wished.get("loader", {}))) is not None:
        free = tuple(name for name in Loader.model_fields if name != "streaming")
        yield from _differences("loader", old.loader, loader, why="the data", free=free)
    if model := _chosen(models, wished.get("model")):
        free = models.get(old.model.name).facts.get("patchable", ())
        yield from _differences("model", old.model, model, why="the weights", free=free)
    if loss := _chosen(losses, wished.get("loss", old.loss)):
        yield from _other_outputs(old, loss)
    yield from _other_beginnings(old, wished)
    yield from _uneven(old, wished.get("resources", {}))
    yield from _found_too_late(wished, epoch=epoch)
    yield from _past(old, wished, epoch=epoch)


def _other_beginnings(old: JobSpec, wished: Mapping[str, Any]) -> Iterator[Finding]:
    if (seeds := wished.get("seeds", 1)) != 1:
        told = f"{shown(seeds)} seeds would train the epochs before anew. Leave it out, or submit a new job."
        yield Finding(("seeds",), seeds, told, [1])
    before, init = old.model_dump(mode="json")["init_from"], wished.get("init_from")
    if init != before:
        told = "would change the weights that the epochs before began with. Leave it out, or submit a new job."
        yield Finding(("init_from",), init, f"{shown(init)} {told}", [before])


def _past(old: JobSpec, wished: Mapping[str, Any], *, epoch: int) -> Iterator[Finding]:
    """What would change phases that are over by then, or leave no epoch behind them."""
    now = sound(wished.get("phases"))
    if now is not None:
        yield from passed(old.phases or (Phase.model_validate(_alone(dict(old))),), now, epoch=epoch)
        yield from _nothing_left(ends(now)[-1], "phases", epoch=epoch)
    elif wished.get("phases") is None:
        if old.phases and (alone := _valid(Phase, _alone(wished))):
            told = passed(old.phases, (alone,), epoch=epoch)
            yield from (replace(one, path=("phases",), value=None) for one in told)
        yield from _nothing_left(wished.get("epochs", JobSpec.model_fields["epochs"].default), "epochs", epoch=epoch)


def _alone(fields: Mapping[str, Any]) -> dict[str, Any]:
    """What of a spec makes a phase."""
    return {name: fields[name] for name in Phase.model_fields if name in fields}


def _differences(
    field: str, before: BaseModel, now: BaseModel, *, why: str, free: tuple[str, ...] = ()
) -> Iterator[Finding]:
    told = f"would change {why} of the epochs before. Leave it out, or submit a new job."
    if type(before) is not type(now):
        name = getattr(now, "name", None)
        yield Finding((field,), name, f"{shown(name)} {told}", [getattr(before, "name", None)])
        return
    old, new = before.model_dump(mode="json"), now.model_dump(mode="json")
    for setting, value in new.items():
        if value != old[setting] and setting not in free:
            words = f"{shown(value)} instead of {shown(old[setting])} {told}"
            yield Finding((field, setting), value, words, [old[setting]])


def _other_outputs(old: JobSpec, loss: PartSettings) -> Iterator[Finding]:
    wanted = Outline({**old.__dict__, "loss": loss}).model_shape.outputs
    if (width := old.model_shape.outputs) != wanted:
        told = (
            f"The loss {shown(loss.name)} takes {wanted} outputs of the model, and these weights give {width} "
            f"(for {shown(old.loss.name)}). Leave it out, or submit a new job."
        )
        yield Finding(("loss",), loss.name, told, [old.loss.name])


def _uneven(old: JobSpec, resources: Any) -> Iterator[Finding]:
    """Several devices repeat the epochs before, too, and these may be none that can be shared out."""
    now = _valid(Resources, resources)
    if now is None or now.model_dump(include=_SHARED_OUT) == old.resources.model_dump(include=_SHARED_OUT):
        return
    outline = Outline({**old.__dict__, "resources": now})
    for check in DEVICE_CHECKS:
        with suppress(Unsound):  # a batch size that is to be found is refused by itself
            for found in check(outline):
                told = f"The epochs before cannot be shared out to these devices. {found.message}"
                yield Finding(("resources", "devices"), now.devices, told, [old.resources.devices])


def _found_too_late(wished: Mapping[str, Any], *, epoch: int) -> Iterator[Finding]:
    for field in AUTOS:
        if wished.get(field) == AUTO:
            told = (
                f'"auto" is found when a job begins, and this one goes on behind epoch {epoch} of another. Give a '
                "number, or fork that one once it has found its own."
            )
            yield Finding((field,), AUTO, told, {"type": "number", "exclusiveMinimum": 0})


def _nothing_left(epochs: Any, field: str, *, epoch: int) -> Iterator[Finding]:
    if isinstance(epochs, int) and not isinstance(epochs, bool) and 1 <= epochs <= epoch:
        told = (
            f"{shown(epochs)} epochs leave nothing to train behind epoch {epoch}. "
            "Give more epochs here, or fork from an earlier epoch."
        )
        yield Finding((field,), epochs, told, {"minimum": epoch + 1})


def _within(patch: Mapping[str, Any], finding: Finding) -> Finding:
    """The finding where the patch has a place for it: a plain name has no settings."""
    field, *inner = finding.path
    return replace(finding, path=(field,)) if inner and isinstance(patch.get(str(field)), str) else finding


def _chosen(registry: Registry, value: Any) -> PartSettings | None:
    try:
        return registry.choose(value)
    except ValidationError:
        return None


def _valid(section: type[Section], value: Any) -> Section | None:
    try:
        return section.model_validate(value)
    except ValidationError:
        return None
