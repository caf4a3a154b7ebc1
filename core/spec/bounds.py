"""What a job may take in parameters and memory, judged by arithmetic alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from core.checks import Finding
from core.spec.cost import MAX_BYTES, MAX_PARAMETERS, data_bytes, prediction_bytes, streamed_bytes, training_bytes
from core.spec.engine import at_a_time
from core.spec.outline import Outline


def weights_are_within_bounds(outline: Outline) -> Iterator[Finding]:
    """The model is not larger than a worker may build."""
    if told := too_many(outline.cost.parameters):
        yield Finding(("model",), outline["model"].name, told, {"parameters": MAX_PARAMETERS})


def too_many(parameters: int) -> str | None:
    """What to tell of a model with so many parameters, if these are too many."""
    told = f"This model has {parameters:,} parameters; at most {MAX_PARAMETERS:,} are allowed."
    return told if parameters > MAX_PARAMETERS else None


def too_large(size: int, what: str) -> str | None:
    """What to tell of so many bytes, if these are too many."""
    told = f"{what.capitalize()} would take {size / 2**30:,.1f} GiB; at most {MAX_BYTES / 2**30:,.0f} GiB are allowed."
    return told if size > MAX_BYTES else None


def data_is_within_bounds(outline: Outline) -> Iterator[Finding]:
    """The data is not larger than a worker may hold; of what is streamed it holds the targets and the order."""
    apart = outline.facts.apart.values() if outline.facts else ()
    shape = replace(outline.data_shape, samples=outline.data_shape.samples + sum(one.samples for one in apart))
    if outline.facts and outline.facts.series is not None:
        shape = replace(shape, features=shape.features[:1])  # windows show the same rows again and again
    held = streamed_bytes(shape) if outline["loader"].streaming else data_bytes(shape)
    yield from _bounded(("dataset",), outline["dataset"].name, size=held, what="the data")


def training_is_within_bounds(outline: Outline) -> Iterator[Finding]:
    """Weights, optimizer state and activations are not larger than a worker may hold."""
    state, cost = outline.optimizer_state + (outline["ema"] is not None), outline.cost
    weights = training_bytes(cost, state=state, batch_size=0)
    if weights > MAX_BYTES and cost.parameters <= MAX_PARAMETERS:
        yield from _bounded(("model",), outline["model"].name, size=weights, what="weights and optimizer state")
    elif weights <= MAX_BYTES:
        size = outline["batch_size"]
        yield from _bounded(("batch_size",), size, size=step_bytes(outline), what="weights and a batch's activations")


def step_bytes(outline: Outline) -> int:
    """What a step takes: weights, their gradients and state, and the activations of the samples that go together."""
    return training_bytes(outline.cost, state=outline.optimizer_state, batch_size=at_a_time(outline))


def predictions_are_within_bounds(outline: Outline) -> Iterator[Finding]:
    """The validation part is predicted as a whole, for its metrics, and so is the test part; others by pieces."""
    if outline.data_shape.next_token or outline.data_shape.reconstructs:
        return
    for part in ("validation", "test"):
        setting = "folds" if part == "validation" and outline["split"].folds else part
        samples, share = getattr(outline.split_sizes, part), getattr(outline["split"], setting)
        size = prediction_bytes(samples, outputs=outline.model_shape.outputs)
        yield from _bounded(("split", setting), share, size=size, what=f"the {part} part's predictions")


def _bounded(path: tuple[str, ...], value: object, *, size: int, what: str) -> Iterator[Finding]:
    if told := too_large(size, what):
        yield Finding(path, value, told, {"bytes": MAX_BYTES})
