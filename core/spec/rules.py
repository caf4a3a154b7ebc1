"""What must fit together in a spec although each field is right by itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from core.checks import Finding, nearest, shown
from core.registry import Part, Registry, losses, metrics, models
from core.spec.apart import parts_are_told_once
from core.spec.auto_rules import what_is_found_can_be_tried
from core.spec.axes import axes
from core.spec.bounds import (
    data_is_within_bounds,
    predictions_are_within_bounds,
    training_is_within_bounds,
    weights_are_within_bounds,
)
from core.spec.devices import DEVICE_CHECKS
from core.spec.embedding import embeds
from core.spec.engine_rules import ENGINE_CHECKS
from core.spec.extras import extras_are_installed
from core.spec.outline import Outline, Unsound
from core.spec.phase_rules import PHASE_CHECKS, in_phases, phases_say_the_rest
from core.spec.picture_rules import (
    augmentations_fit_data,
    mixed_batches_have_partners,
    only_pictures_have_channels,
)
from core.spec.rounds import Check, in_rounds, rounds_are_of_one_kind
from core.spec.series import series_is_split_in_time
from core.spec.split_rules import (
    folds_can_be_made,
    groups_suffice,
    split_is_chosen_one_way,
    split_leaves_samples,
    stratified_split_holds_classes,
)
from core.spec.starting import starting_weights_suffice
from core.spec.streaming import only_files_are_streamed
from core.spec.texts import (
    model_reads_data,
    plain_text_has_no_folds,
    serves,
    text_settings_fit,
    windows_fit_parts,
)


def findings(outline: Outline) -> list[Finding]:
    """All that does not fit together, as far as the fields it rests on are sound."""
    found: list[Finding] = []
    for check in OF_THE_WHOLE:
        with suppress(Unsound):
            found += check(outline)
    for check in CHECKS:
        with suppress(Unsound):
            found += in_rounds(check, outline)
    return found


def only_numbers_are_scaled(outline: Outline) -> Iterator[Finding]:
    """A target of classes has no scale."""
    wanted = outline["preprocess"].target
    if wanted != "none" and outline.data_shape.reconstructs:
        told = f"{shown(wanted)} scales a target; here it is the features, which preprocess.features scales."
        yield Finding(("preprocess", "target"), wanted, told, ["none"])
    elif wanted != "none" and outline.task != "numbers":
        told = f"{shown(wanted)} scales numbers; the spec has {_target(outline)}."
        yield Finding(("preprocess", "target"), wanted, told, ["none"])


def loss_fits_target(outline: Outline) -> Iterator[Finding]:
    """The loss serves this kind of target."""
    name, task = outline["loss"].name, outline.task
    facts = losses.get(name).facts
    if task not in facts["tasks"]:
        told = f"The loss {shown(name)} is not for {_target(outline)}."
        yield Finding(("loss",), name, told, _serving(losses, task))
    elif fits := facts.get("fits"):
        yield from (one.under("loss") for one in fits(outline.data_shape, **outline["loss"].settings()))


def metrics_fit_target(outline: Outline) -> Iterator[Finding]:
    """Each metric serves this kind of target, once, on enough samples."""
    chosen, seen = outline["metrics"], set[str]()
    if chosen and not max(outline.split_sizes.validation, outline.split_sizes.test):
        told = "Metrics are computed on the validation and the test part, and this split has neither."
        yield Finding(("metrics",), len(chosen), told, [])
        return
    for place, name in enumerate(one.name if one else None for one in chosen):
        for told in _wrong_with_metric(outline, name, seen) if name else ():
            yield Finding(("metrics", place), name, told, _serving(metrics, outline.task))
        seen.add(name or "")


def monitored_figure_exists(outline: Outline) -> Iterator[Finding]:
    """Early stopping watches a figure that the epochs will have."""
    if (stopping := outline["early_stopping"]) is not None:
        yield from _figure(outline, "early_stopping", stopping.monitor)


def best_checkpoints_have_a_figure(outline: Outline) -> Iterator[Finding]:
    """The best checkpoints are told by such a figure too; the one taken over from early stopping is told of there."""
    stopping, monitor = outline["early_stopping"], outline["checkpoints"].monitor
    if stopping is None or stopping.monitor != monitor:
        yield from _figure(outline, "checkpoints", monitor)


def model_fits_data(outline: Outline) -> Iterator[Finding]:
    """The model can read samples of this shape, and predicts this kind of target."""
    model, data = outline.model, outline.data_shape
    if not outline.reads_data:
        yield from model_reads_data(outline)
    elif not outline.takes_data:
        told = (
            f"The model {shown(model.name)} is for {_kinds(model)}; a sample of "
            f"{shown(outline['dataset'].name)} has the shape {list(data.features)}."
        )
        allowed = [name for name in models.names() if serves(outline, name)]
        yield Finding(("model",), model.name, told, allowed)
    elif fits := model.facts.get("fits"):
        yield from (one.under("model") for one in fits(data, **outline["model"].settings()))
    elif misfits := model.facts.get("misfits"):
        yield from (one.under("model") for one in misfits(outline.model_shape, **outline["model"].settings()))


def an_epoch_has_a_step(outline: Outline) -> Iterator[Finding]:
    """`drop_last` leaves at least one whole batch."""
    train = outline.split_sizes.train
    if train and not outline.steps_per_epoch:
        size = shown(outline["batch_size"])
        told = f"A batch of {size} is more than the {train} training samples, so drop_last drops them all."
        yield Finding(("loader", "drop_last"), outline["loader"].drop_last, told, [False])


OF_THE_WHOLE: tuple[Check, ...] = (rounds_are_of_one_kind, phases_say_the_rest)
"""What is judged once, whatever trainings the job is made of."""


def words_are_there_to_embed(outline: Outline) -> Iterator[Finding]:
    """Embeddings are of columns of words, of an uploaded table whose rows are samples."""
    if embeds(outline["model"]) and not outline.data_shape.categories:
        told = f"Embeddings are of a table's columns of words; {shown(outline['dataset'].name)} holds none here."
        yield Finding(("model", "embeddings"), outline["model"].embeddings, told, [None])


CHECKS: tuple[Check, ...] = (
    in_phases(extras_are_installed),
    series_is_split_in_time,
    split_is_chosen_one_way,
    folds_can_be_made,
    groups_suffice,
    parts_are_told_once,
    split_leaves_samples,
    stratified_split_holds_classes,
    only_numbers_are_scaled,
    text_settings_fit,
    plain_text_has_no_folds,
    windows_fit_parts,
    only_pictures_have_channels,
    augmentations_fit_data,
    mixed_batches_have_partners,
    loss_fits_target,
    metrics_fit_target,
    monitored_figure_exists,
    best_checkpoints_have_a_figure,
    model_fits_data,
    words_are_there_to_embed,
    an_epoch_has_a_step,
    *ENGINE_CHECKS,
    what_is_found_can_be_tried,
    *PHASE_CHECKS,
    weights_are_within_bounds,
    data_is_within_bounds,
    training_is_within_bounds,
    predictions_are_within_bounds,
    only_files_are_streamed,
    starting_weights_suffice,
    *DEVICE_CHECKS,
)

_SAMPLES = {1: "rows of features", 2: "series (channels, length)", 3: "images (channels, height, width)"}
"""What a sample is, by the number of its axes."""


def _figure(outline: Outline, section: str, monitor: str) -> Iterator[Finding]:
    on_validation = ["val_loss", *(f"val_{name}" for name in outline.metric_names)]
    known = ["train_loss", *(on_validation if outline.split_sizes.validation else ())]
    if monitor not in known:
        told = f"No epoch of this job has the figure {shown(monitor)}.{nearest(monitor, known)}"
        yield Finding((section, "monitor"), monitor, told, known)


def _wrong_with_metric(outline: Outline, name: str, seen: set[str]) -> Iterator[str]:
    facts, sizes = metrics.get(name).facts, outline.split_sizes
    least, part = min((size, part) for size, part in ((sizes.validation, "validation"), (sizes.test, "test")) if size)
    if name in seen:
        yield f"The metric {shown(name)} is named twice."
    elif outline.task not in facts["tasks"]:
        yield f"The metric {shown(name)} is not for {_target(outline)}."
    elif least < facts.get("min_samples", 1):
        yield f"The metric {shown(name)} needs {facts['min_samples']} {part} samples; this split has {least}."


def _serving(registry: Registry, task: str) -> list[str]:
    return [name for name in registry.names() if task in registry.get(name).facts["tasks"]]


def _kinds(model: Part) -> str:
    """What the samples are that the model can read."""
    return " or ".join(words for axes_of, words in _SAMPLES.items() if axes_of in axes(model))


def _target(outline: Outline) -> str:
    shape = outline.data_shape
    if shape.next_token:
        return "a target of tokens"
    if shape.multilabel:
        return f"a target of {shape.outputs} labels"
    if shape.reconstructs:
        return "a target that is the sample itself"
    return "a target of numbers" if shape.classes is None else f"a target of {shape.classes} classes"
