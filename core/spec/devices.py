"""What must fit together where several devices train one job."""

from __future__ import annotations

from collections.abc import Iterator

from core.checks import Finding, shown
from core.spec.engine_rules import least_samples
from core.spec.fields import LEAST_MEMORY_GB
from core.spec.outline import Outline
from core.spec.rounds import Check


def several_devices_are_of_a_kind(outline: Outline) -> Iterator[Finding]:
    """Several devices are CPUs or GPUs of one worker, not one that is named."""
    resources = outline["resources"]
    if resources.processes > 1 and resources.device not in _KINDS:
        told = f"{shown(resources.device)} is a single device, and the job wants {resources.processes} of a kind."
        yield Finding(("resources", "device"), resources.device, told, _KINDS)


def every_device_has_samples(outline: Outline) -> Iterator[Finding]:
    """A full batch has a sample for each device, and with batch norm the last one has enough for each, too."""
    devices, size = outline["resources"].processes, outline["batch_size"]
    if devices == 1:
        return
    if size < devices:
        told = f"A batch of {size} has no sample for each of {devices} devices."
        yield Finding(("batch_size",), size, told, {"minimum": devices})
    elif (least := least_samples(outline)) > 1 and (fewest := _fewest_at_once(outline)) < least:
        told = (
            f"With {shown(size)} one of {devices} devices has {fewest} samples of a batch at a time, and batch norm "
            f"needs {least}. Choose another batch size, or loader.drop_last: true."
        )
        yield Finding(("batch_size",), size, told, {"samples of each device": f">= {least}"})


def memory_is_for_all_devices(outline: Outline) -> Iterator[Finding]:
    """The memory is for all processes together, and each of them holds torch."""
    resources = outline["resources"]
    least = LEAST_MEMORY_GB * resources.devices
    if resources.devices > 1 and resources.memory_gb is not None and resources.memory_gb < least:
        told = f"{resources.memory_gb:g} GB are for all {resources.devices} processes: give at least {least:g}."
        yield Finding(("resources", "memory_gb"), resources.memory_gb, told, {"minimum": least})


def only_one_device_halves_batches(outline: Outline) -> Iterator[Finding]:
    """A process that halves its batch where memory runs out would leave the others waiting."""
    wanted = outline["on_out_of_memory"]
    if outline["resources"].processes > 1 and wanted == "accumulate":
        told = "Only a job of one device can go on with smaller pieces. Set micro_batch_size, or resources.devices: 1."
        yield Finding(("on_out_of_memory",), wanted, told, ["fail"])


def only_one_device_searches_along_lines(outline: Outline) -> Iterator[Finding]:
    """An optimizer of full batches asks for the cost as often as it likes, in each process for itself."""
    searching = [one["optimizer"].name for one in outline.phases if one.optimizer.facts.get("full_batch")]
    if outline["resources"].processes > 1 and searching:
        name = searching[0]
        told = f"The optimizer {shown(name)} works on one device only: it asks for the cost of the full batch again."
        yield Finding(("optimizer",), name, told, {"resources.devices": 1})


def weights_can_be_in_pieces(outline: Outline) -> Iterator[Finding]:
    """Weights in pieces lie on several devices, and what is made of them is made of each number by itself."""
    resources, field = outline["resources"], ("resources", "sharding")
    if resources.sharding != "fsdp":
        return
    if resources.processes == 1:
        yield Finding(field, "fsdp", "One device has all weights in one piece; give resources.devices.", ["ddp"])
    wrong = [one["optimizer"].name for one in outline.phases if one["optimizer"].name not in _BY_NUMBER]
    if wrong and resources.processes > 1:
        told = f"The optimizer {shown(wrong[0])} needs weights in one piece. Take sharding 'ddp', or another optimizer."
        yield Finding(("optimizer",), wrong[0], told, sorted(_BY_NUMBER))
    if outline.model.facts.get("in_one_piece", _never)(**outline["model"].settings()):
        told = "The kernels of recurrent layers hold their weights in one piece. Take 'ddp', or another model."
        yield Finding(field, "fsdp", told, ["ddp"])
    if outline["ema"] is not None:
        yield Finding(
            ("ema",), None, "A moving average is of weights in one piece. Take null, or sharding 'ddp'.", [None]
        )
    if outline["sharpness"] is not None:
        told = "Weights in pieces are not shaken. Take null, or sharding 'ddp'."
        yield Finding(("sharpness",), None, told, [None])
    if outline["precision"] == "fp16":
        told = 'The losses of "fp16" are not scaled over weights in pieces. Take "bf16", or sharding "ddp".'
        yield Finding(("precision",), "fp16", told, ["fp32", "bf16"])


DEVICE_CHECKS: tuple[Check, ...] = (
    several_devices_are_of_a_kind,
    every_device_has_samples,
    memory_is_for_all_devices,
    only_one_device_halves_batches,
    only_one_device_searches_along_lines,
    weights_can_be_in_pieces,
)
_BY_NUMBER = frozenset({"sgd", "rmsprop", "adam", "adamw", "adamax", "adagrad", "adadelta", "nadam", "radam", "asgd"})
"""The optimizers that move each weight by its own gradient alone."""
_KINDS = ["auto", "cpu", "cuda"]


def _never(**_: object) -> bool:
    return False


def _fewest_at_once(outline: Outline) -> int:
    """The samples of the smallest piece of a batch that goes through the model of a device."""
    devices: int = outline["resources"].processes
    at_once: int = outline["micro_batch_size"] or outline.batch_size
    batches = filter(None, {outline.batch_size, outline.last_batch})
    parts = {part for batch in batches for part in (batch // devices, -(-batch // devices))}
    return min(part % at_once or min(part, at_once) for part in parts)
