"""What a child does with its order: train, alone or in several processes, try out, or predict.

It is imported in the forkserver, so importing it must compute nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress

import torch

from core import device, loop
from core.epochs import predicts
from core.events import Failed, Probed, RunEvent
from core.loop.failures import explain
from core.spec import JobSpec
from core.spec.predicting import PredictSpec
from core.supervision.bench import Order
from worker import memory, single


def prepare() -> tuple[str, ...]:
    """Pay first-use costs while nobody waits; gives the devices that torch names here."""
    loop.prepare()
    return device.available()


def train(order: Order, stop: Callable[[], bool]) -> Iterator[RunEvent]:
    """Train the job of `order` until it is done or `stop` says so, telling what happens; or try it out, or predict."""
    if predicts(order.spec):
        yield from _predicted(order, stop)
        return
    spec = JobSpec.model_validate(order.spec)
    if order.devices:
        from worker import ranks

        yield from ranks.train(order, stop)
        return
    memory.limit(spec.resources.memory_gb)
    if order.probe:
        yield Probed(loop.probe(spec, device=order.device, cache=order.cache, datasets=order.datasets))
        return
    yield from single.trained(order, spec, stop, device=order.device)


def _predicted(order: Order, stop: Callable[[], bool]) -> Iterator[RunEvent]:
    from core.serving.predicting import predict

    spec = PredictSpec.model_validate(order.spec)
    memory.limit(spec.resources.memory_gb)
    if order.datasets is None:
        raise ValueError("The order does not say where uploads lie.")
    yield from predict(spec, folder=order.folder, device=order.device, datasets=order.datasets, stop=stop)


def failed(error: Exception, order: Order) -> Failed:
    """What to tell of an error that ended the training of `order`."""
    return explain(error, spec=order.spec)


def usable(devices: Sequence[str]) -> tuple[str, ...]:
    """Those of `devices` on which a computation succeeds: a driver or a GPU may be too old for this torch."""
    return tuple(name for name in devices if _computes(name))


def _computes(name: str) -> bool:
    with suppress(Exception):  # whatever a broken driver raises
        return torch.ones(2, device=name).sum().item() == 2
    return False
