"""An upload named in a spec, judged against what was found in its file and written down with the spec."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from core.checks import Finding, refuse, shown
from core.dataset import Dataset, Facts, Form, Profile
from core.intake.labels import SHEET
from core.registry import PartSettings, datasets
from core.spec import apart, reconstruction, series, tables, texts
from core.spec.apart import PARTS
from core.spec.classes import class_findings
from core.spec.lookup import Lookup, key_of, named_by
from core.spec.reconstruction import OF_TARGETS
from core.spec.splitting import groups_of, part_counts

FORMS: Mapping[Form, str] = {
    "table": "a table",
    "arrays": "arrays",
    "images": "pictures",
    "text": "a text",
    "weights": "weights",
}
OF_TABLES: Mapping[str, Any] = {
    "target": None,
    "target_separator": None,
    "features": None,
    "exclude": (),
    "drop_missing_target": False,
    "series": None,
}
"""The settings that only tables have, and what they are when not given."""
OF_PICTURES: Mapping[str, Any] = {"size": None, "resize": "stretch"}


def choose_dataset(value: Any, lookup: Lookup | None) -> PartSettings:
    """`value` as a dataset's settings, an upload's with its facts; raises ValidationError.

    With a `lookup` the facts are those of the dataset found now, whatever came with `value`; without one they must be
    there, as they are in every stored spec.
    """
    name = value.get("name") if isinstance(value, dict) else None
    is_told = lookup is not None and isinstance(value, dict) and "facts" in value and named_by(name) is not None
    chosen = datasets.choose({**value, "facts": None} if is_told else value)
    setting = named_by(chosen.name)
    if setting is None or isinstance(value, PartSettings):
        return chosen
    if lookup is not None:
        return _resolved(chosen, setting, lookup)
    if chosen.settings()["facts"] is None:
        key = chosen.settings()[setting]
        told = f"What {shown(key)} holds is known only to the service that it was given to."
        raise refuse(chosen.name, [Finding((setting,), key, told, {"facts": "filled in at submission"})])
    return chosen


def _resolved(chosen: PartSettings, setting: str, lookup: Lookup) -> PartSettings:
    """`chosen` with the facts of its file, which `setting` names, and of those that validate and test."""
    wanted = chosen.settings()
    named = [setting, *(part for part in PARTS if wanted[part] is not None)]
    told_of = {"name": chosen.name, **wanted}
    found = {one: lookup.found(setting, key_of(told_of, one) or "") for one in named}
    wrong = [
        Finding((one,), wanted[one], told, f"the {setting} of a file that is there")
        for one, told in found.items()
        if isinstance(told, str)
    ]
    whole = found.pop(setting)
    if isinstance(whole, str):
        raise refuse(chosen.name, wrong)
    own = list(_findings({**wanted, "id": wanted[setting]}, whole.profile, lookup))
    if own:
        raise refuse(chosen.name, wrong + [_at(setting, one) for one in own])
    facts = _facts(wanted, whole, lookup)
    parts = [(part, one) for part in PARTS if isinstance(one := found.get(part), Dataset)]
    wrong += [one for part, other in parts for one in apart.findings(part, wanted, whole, other, facts)]
    if wrong:
        raise refuse(chosen.name, wrong)
    beside = {part: apart.fact(wanted, other) for part, other in parts}
    return chosen.model_copy(update={"facts": facts.model_copy(update={"apart": beside})})


def _at(setting: str, finding: Finding) -> Finding:
    return replace(finding, path=(setting,)) if finding.path == ("id",) else finding


def _findings(wanted: Mapping[str, Any], profile: Profile, lookup: Lookup) -> Iterator[Finding]:
    if profile.form == "weights":
        told = "It holds the weights of a model, and no data. A job starts from them by init_from, and trains on data."
        yield Finding(("id",), wanted["id"], told, "an upload of data")
        return
    if lookup.reconstructs:
        yield from reconstruction.findings(wanted)
        if profile.form == "table":
            yield from tables.findings({**wanted, **OF_TARGETS}, profile, reserved=lookup.reserved, itself=True)
        else:
            yield from _alien_settings({**wanted, **OF_TARGETS}, profile)
    elif profile.form == "table":
        find = tables.findings if wanted["series"] is None else series.findings
        yield from find(wanted, profile, reserved=lookup.reserved)
    else:
        yield from _alien_settings(wanted, profile)
        yield from _target_can_be_learned(wanted, profile)
    for setting, usual in OF_PICTURES.items():
        if wanted[setting] != usual and profile.form != "images":
            told = f"{shown(wanted[setting])} resizes pictures; this upload is {FORMS[profile.form]}."
            yield Finding((setting,), wanted[setting], told, [usual])


def _alien_settings(wanted: Mapping[str, Any], profile: Profile) -> Iterator[Finding]:
    for setting, usual in OF_TABLES.items():
        if wanted[setting] != usual:
            told = f"{shown(setting)} is for tables; this upload is {FORMS[profile.form]}."
            yield Finding((setting,), wanted[setting], told, [usual])


def _target_can_be_learned(wanted: Mapping[str, Any], profile: Profile) -> Iterator[Finding]:
    if profile.form == "arrays" and profile.targets is None:
        told = "These arrays come without targets: upload an NPZ file with the arrays x and y."
        yield Finding(("id",), wanted["id"], told, "an upload with targets")
        return
    classes, task = _classes(profile), wanted["task"]
    if profile.form == "text":
        if task != "auto":
            told = f"Of a text the next token is predicted, not {shown(task)}."
            yield Finding(("task",), task, told, ["auto"])
    elif profile.form == "images" and (task == "numbers" or classes == 1):
        yield _no_classes(wanted, profile)
    elif task == "labels":
        told = f"Labels are columns of a table; this upload is {FORMS[profile.form]}."
        yield Finding(("task",), task, told, ["auto", "classes"])
    elif task in ("binary", "classes") and classes is None:
        told = f"{shown(task)} needs labels of classes; this target is numbers."
        yield Finding(("task",), task, told, ["auto", "numbers"])
    elif task != "numbers" and classes is not None:
        yield from class_findings(classes, task=task, path=("id",), value=wanted["id"])


def _no_classes(wanted: Mapping[str, Any], profile: Profile) -> Finding:
    if wanted["task"] == "numbers":
        told = "The pictures' folders are classes, not numbers."
        return Finding(("task",), "numbers", told, ["auto", "classes"])
    named = shown((profile.classes or ("",))[0])
    told = (
        f"All its pictures are of one class, {named}: give each class a folder, or tell the classes in {SHEET}. "
        "Only an autoencoder learns from pictures of one."
    )
    return Finding(("id",), wanted["id"], told, {"classes": ">= 2"})


def _facts(wanted: Mapping[str, Any], dataset: Dataset, lookup: Lookup) -> Facts:
    profile = dataset.profile
    wanted = wanted if wanted["series"] is None else series.as_numbers(wanted)
    told: dict[str, Any] = {
        "sha256": dataset.sha256,
        "format": profile.format,
        "form": profile.form,
        "samples": profile.rows,
        "itself": lookup.reconstructs,
    }
    if profile.form == "text":
        told |= {"samples": dataset.bytes, "features": ()}
    elif profile.form == "table":
        told |= tables.facts(wanted, profile, reserved=lookup.reserved, itself=lookup.reconstructs)
        if lookup.tokenizes and wanted["series"] is None:
            told["columns"] = texts.as_text(told["columns"])
        told |= series.facts(wanted, profile, told) if wanted["series"] is not None else {}
        told["split_counts"] = part_counts(lookup.split_column, profile)
        told["groups"] = groups_of(lookup.split_group, profile)
        told["others"] = tables.others(told["columns"], profile, (*lookup.split_columns, *tables.of_series(wanted)))
    else:
        classes = None if wanted["task"] == "numbers" or lookup.reconstructs else _classes(profile)
        outputs = profile.targets.outputs if profile.targets and classes is None and not lookup.reconstructs else 1
        told |= {"features": _sample_shape(wanted, profile), "classes": classes, "outputs": outputs}
    return Facts.model_validate(told)


def _classes(profile: Profile) -> int | None:
    if profile.form == "images":
        return len(profile.classes or ())
    return profile.targets.classes if profile.targets else None


def _sample_shape(wanted: Mapping[str, Any], profile: Profile) -> tuple[int, ...]:
    shape = profile.shape or (1,)
    return (shape[0], *wanted["size"]) if wanted["size"] is not None else shape
