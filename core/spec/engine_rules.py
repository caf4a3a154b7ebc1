"""What must fit together of the way a step is taken: batches and the pieces that they come in."""

from __future__ import annotations

from collections.abc import Iterator

from core.checks import Finding, shown
from core.spec.outline import Outline
from core.spec.phase_rules import in_phases
from core.spec.rounds import Check


def every_batch_is_big_enough(outline: Outline) -> Iterator[Finding]:
    """Batch norm cannot take the mean over one sample, and an epoch may end with a batch of one."""
    least = least_samples(outline)
    if 0 < outline.last_batch < least:
        train, size = outline.split_sizes.train, outline["batch_size"]
        told = (
            f"{shown(size)} makes a last batch of {outline.last_batch} of {train} training samples, and batch norm "
            f"needs {least}. Choose another batch size, or loader.drop_last: true with a batch size above 1."
        )
        yield Finding(("batch_size",), size, told, {"last_batch": f">= {least}"})


def micro_batches_fit_batches(outline: Outline) -> Iterator[Finding]:
    """A micro-batch is a piece of a batch, or all of it."""
    size, wanted = outline["batch_size"], outline["micro_batch_size"]
    if wanted is not None and wanted > size:
        told = f"{shown(wanted)} samples at a time are more than a batch of {size} has."
        yield Finding(("micro_batch_size",), wanted, told, {"maximum": size})


def every_micro_batch_is_big_enough(outline: Outline) -> Iterator[Finding]:
    """Batch norm then takes its means over a micro-batch, the last one of a batch included."""
    size, wanted, least = outline["batch_size"], outline["micro_batch_size"], least_samples(outline)
    if wanted is None or wanted > size:
        return
    batches = {outline.batch_size, outline.last_batch}
    for batch in sorted(batch for batch in batches if batch >= least):
        smallest = batch % wanted or min(wanted, batch)
        if smallest < least:
            told = (
                f"{shown(wanted)} cuts a batch of {batch} into pieces of which the smallest has {smallest}, and batch "
                f"norm needs {least}."
            )
            yield Finding(("micro_batch_size",), wanted, told, {"smallest": f">= {least}"})
            return


def only_single_samples_are_accumulated(outline: Outline) -> Iterator[Finding]:
    """Gradients of micro-batches add up to the batch's only where a sample's prediction does not rest on the others."""
    wanted, coupled = outline["on_out_of_memory"], outline.model.facts.get("batch_coupled")
    if wanted == "accumulate" and coupled and coupled(**outline["model"].settings()):
        told = (
            "Gradients cannot be accumulated with batch norm: it takes its mean over a whole batch, so smaller ones "
            'would train another model. Take "fail", or a model without batch norm.'
        )
        yield Finding(("on_out_of_memory",), wanted, told, ["fail"])


def gradients_of_one_cost_are_scaled(outline: Outline) -> Iterator[Finding]:
    """Some optimizers ask for the cost several times a step, which fp16's scaling does not allow."""
    wanted = outline["precision"]
    if wanted == "fp16" and outline.optimizer.facts.get("asks_again"):
        told = (
            f"{shown(outline.optimizer.name)} asks for the cost several times a step, and fp16 scales that of one. "
            'Take "fp32" or "bf16".'
        )
        yield Finding(("precision",), wanted, told, ["fp32", "bf16"])


def the_optimizer_takes_groups(outline: Outline) -> Iterator[Finding]:
    """Groups of parameters are for optimizers that take several, their decay for those that have one."""
    wanted, optimizer = outline["param_groups"], outline.optimizer
    if wanted and optimizer.facts.get("asks_again"):
        told = f"{shown(optimizer.name)} moves all parameters as one vector, so it takes no groups of them."
        yield Finding(("param_groups",), len(wanted), told, [])
        return
    decays = optimizer.facts.get("decays", lambda **settings: "weight_decay" in settings)
    for place, group in enumerate(wanted):
        if group.weight_decay is not None and not decays(**outline["optimizer"].settings()):
            told = f"{shown(optimizer.name)} has no weight_decay that a group could replace."
            yield Finding(("param_groups", place, "weight_decay"), group.weight_decay, told, [None])


ENGINE_CHECKS: tuple[Check, ...] = (
    every_batch_is_big_enough,
    micro_batches_fit_batches,
    every_micro_batch_is_big_enough,
    only_single_samples_are_accumulated,
    in_phases(gradients_of_one_cost_are_scaled),
    in_phases(the_optimizer_takes_groups),
)


def least_samples(outline: Outline) -> int:
    """The fewest samples that the model can train on at once."""
    smallest = outline.model.facts.get("smallest_batch")
    return int(smallest(**outline["model"].settings())) if smallest else 1
