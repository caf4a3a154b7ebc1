"""The numbers that a spec leaves to the run: found on runs made for that, which leave no trace in the one to come.

That one is seeded anew when it is assembled, so it begins as if nothing had been.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping

from core.errors import InvalidSpec, SpecRefused
from core.events import Noticed
from core.loading.data import Data
from core.loop.assembly import assemble
from core.loop.batch_trial import largest_batch
from core.loop.failures import is_out_of_memory
from core.loop.peers import ALONE, Peers
from core.loop.rate_test import HIGHEST, LOWEST, STEPS, Curve, range_test, rate_by
from core.loop.run import Run
from core.loop.supply import Supply
from core.registry import schedulers
from core.spec import JobSpec
from core.spec.found import SHARE, autos, with_numbers

Found = tuple[JobSpec, dict[str, float], list[Noticed]]
"""The spec with numbers only, those that it left to the run, and what to tell of those that are new."""


def find_numbers(spec: JobSpec, supply: Supply, *, known: Mapping[str, float], peers: Peers = ALONE) -> Found:
    """Put numbers where `spec` says "auto": those `known` from an earlier attempt, else found on the first round.

    Of several processes the leader finds them by itself, on its own device, and tells the others. Raises InvalidSpec
    when the numbers do not fit the rest of the spec or none can be found, InvalidData, and the allocator's error when
    nothing fits into the memory.
    """
    wanted, told = autos(spec), list[Noticed]()
    spec = _with(spec, known)
    if autos(spec):
        found = _searched(spec, supply, told) if peers.leads else {}
        spec = _with(spec, peers.told(found))
    return spec, {field: getattr(spec, field) for field in wanted}, told


def _searched(spec: JobSpec, supply: Supply, told: list[Noticed]) -> dict[str, float]:
    """The batch size first, since a learning rate holds for one."""
    found: dict[str, float] = {}
    if "batch_size" in autos(spec):
        first = spec.rounds[0].turns[0]
        size = largest_batch(first, functools.partial(_fresh, first, supply.of(first), supply), supply.device)
        found["batch_size"] = size
        told.append(_batch_size_found(first, size))
        spec = _with(spec, found)
    if "lr" in autos(spec):
        first = spec.rounds[0].turns[0]
        curve = _curve(first, supply.of(first), supply)
        found["lr"] = rate_by(curve)
        told.append(_rate_found(curve, found["lr"]))
    return found


def _with(spec: JobSpec, numbers: Mapping[str, float]) -> JobSpec:
    try:
        return with_numbers(spec, numbers)
    except SpecRefused as refused:
        first = refused.problems[0]
        found = ", ".join(f"{field} {number:g}" for field, number in numbers.items())
        told = f"What was found ({found}) does not fit the rest of the spec: {first.message}"
        raise InvalidSpec(told, hint='Give a number instead of "auto".', param=first.pointer) from None


def _fresh(spec: JobSpec, data: Data, supply: Supply, batch_size: int) -> Run:
    """A run to try something on: its batches come without other processes, and nothing but the test moves its rate."""
    changes = {
        "batch_size": batch_size,
        "lr": LOWEST if "lr" in autos(spec) else spec.lr,
        "scheduler": schedulers.choose("constant"),
        "loader": spec.loader.model_copy(update={"num_workers": 0}),
    }
    return assemble(spec.model_copy(update=changes), data, device=supply.device, start=supply.start(spec))


def _curve(spec: JobSpec, data: Data, supply: Supply) -> Curve:
    """The range test; where its memory does not suffice and the spec lets it accumulate, in smaller micro-batches."""
    micro_batch = spec.micro_batch_size
    while True:
        run = _fresh(spec, data, supply, spec.batch_size)
        run.position.micro_batch = micro_batch
        try:
            return range_test(run)
        except (MemoryError, RuntimeError) as error:
            before = min(micro_batch or spec.batch_size, spec.batch_size, spec.train_samples)
            if spec.on_out_of_memory == "fail" or before == 1 or not is_out_of_memory(error):
                raise
        del run  # there is no room for two
        micro_batch = (before + 1) // 2


def _batch_size_found(spec: JobSpec, size: int) -> Noticed:
    most = spec.train_samples // SHARE
    told = (
        f"batch_size is {size}: the largest power of two that fits here and is at most a fifth of what trains ({most})."
    )
    return Noticed("batch_size_found", told, {"batch_size": size, "train_samples": spec.train_samples})


def _rate_found(curve: Curve, rate: float) -> Noticed:
    tried = len(curve.rates)
    ends = "" if tried == STEPS else f"; from {curve.rates[-1]:.3g} on the cost blew up" if tried else ""
    told = f"lr is {rate:g}, found by a range test of {tried} mini-batches from {LOWEST:g} to {HIGHEST:g}{ends}."
    return Noticed("lr_found", told, {"lr": rate, "rates": curve.rates, "costs": curve.costs})
