"""What must hold of augmentations, and of whatever else only pictures have."""

from __future__ import annotations

from collections.abc import Iterator

from core.checks import Finding, shown
from core.registry import Part, augmentations
from core.spec.outline import Outline


def augmentations_fit_data(outline: Outline) -> Iterator[Finding]:
    """Each augmentation is for this kind of data and of target, and leaves something of a sample."""
    for place, chosen in enumerate(outline["augment"]):
        if chosen is None:
            continue
        part = augmentations.get(chosen.name)
        if told := _alien(part, outline):
            allowed = [name for name in augmentations.names() if not _alien(augmentations.get(name), outline)]
            yield Finding(("augment", place), chosen.name, told, allowed)
        elif fits := part.facts.get("fits"):
            yield from (one.under("augment", place) for one in fits(outline.data_shape, **chosen.settings()))


def mixed_batches_have_partners(outline: Outline) -> Iterator[Finding]:
    """Samples are mixed with others of their batch."""
    if outline.batch_size != 1:
        return
    for place, chosen in enumerate(outline["augment"]):
        if chosen is not None and augmentations.get(chosen.name).facts.get("mixes"):
            told = f"{shown(chosen.name)} mixes the samples of a batch, and here each batch is a single one."
            yield Finding(("augment", place), chosen.name, told, {"batch_size": ">= 2"})


def only_pictures_have_channels(outline: Outline) -> Iterator[Finding]:
    """Scaling per channel needs samples that are (channels, height, width)."""
    wanted, features = outline["preprocess"].features, outline.data_shape.features
    if wanted == "per_channel" and len(features) != 3:
        told = (
            f"{shown(wanted)} scales the channels of pictures; a sample of {shown(outline['dataset'].name)} "
            f"has the shape {list(features)}."
        )
        yield Finding(("preprocess", "features"), wanted, told, ["standard", "minmax", "none"])


def _alien(part: Part, outline: Outline) -> str | None:
    """Why this augmentation is not for the data at hand, if that is so."""
    shape, tasks = outline.data_shape, part.facts.get("tasks")
    if shape.vocabulary is not None:
        return f"{shown(part.name)} changes numbers; a text is tokens, of which there is nothing in between."
    if shape.categories:
        return f"{shown(part.name)} changes numbers; words that are embedded are codes, with nothing in between."
    if part.facts.get("images") and len(shape.features) != 3:
        of = f"a sample of {shown(outline['dataset'].name)} has the shape {list(shape.features)}"
        return f"{shown(part.name)} is for pictures (channels, height, width); {of}."
    if tasks and shape.task not in tasks:
        return f"{shown(part.name)} mixes targets, and there is nothing between two targets of {shape.task}."
    return None
