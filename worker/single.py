"""What one process trains of an order, alone or as one of several: where the worker's room meets the loop."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from core import loop
from core.events import RunEvent
from core.loop import Saving
from core.loop.peers import ALONE, Peers
from core.spec import JobSpec
from core.supervision.bench import Order


def trained(
    order: Order, spec: JobSpec, stop: Callable[[], bool], *, device: str, peers: Peers = ALONE
) -> Iterator[RunEvent]:
    """Train the job of `order` in this process on `device`, with its `peers` if it has any."""
    return loop.train(
        spec,
        folder=order.folder,
        device=device,
        cache=order.cache,
        datasets=order.datasets,
        save=Saving(order.checkpoints, order.candidates, order.lineage),
        numbers=order.resolved,
        stop=stop,
        peers=peers,
    )
