"""A trainer without torch: it starts in no time, and tells of epochs and checkpoints as the real one does.

The failpoints of the service around it cost a restart each, and with the real trainer four seconds more.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from core.checkpoint import Checkpoint, CheckpointFile, Occasion
from core.errors import RunFailed
from core.events import Checkpointed, EpochDone, Failed, Finished, Resumed, RunEvent, Started, Stopped
from core.ids import new_id
from core.job import Artifact, EpochRow, ErrorInfo, Reason
from core.supervision.bench import Order
from tests.chaos.reference import WEIGHTS, Reference

EPOCH_S = 0.02
CHECKPOINT_EVERY = 10
HOLD = "CHAOS_HOLD"
HELD_AT = 35
"""Behind so many epochs, between two checkpoints, it stands still for as long as the file that HOLD names is there."""
BYTES = b"the weights"
SHA256 = hashlib.sha256(BYTES).hexdigest()


def reference(epochs: int) -> Reference:
    """What a job of so many epochs must give."""
    return Reference({epoch: _row(epoch).figures() for epoch in range(1, epochs + 1)}, "completed", SHA256)


def prepare() -> tuple[str, ...]:
    return ("cpu",)


def usable(devices: Sequence[str]) -> tuple[str, ...]:
    return tuple(devices)


def failed(error: Exception) -> Failed:
    reason = error.reason if isinstance(error, RunFailed) else Reason.INTERNAL_ERROR
    return Failed(reason, ErrorInfo(reason, str(error)))


def train(order: Order, stop: Callable[[], bool]) -> Iterator[RunEvent]:
    epochs = int(order.spec["epochs"])
    newest = next(iter(order.candidates), None)
    begin = newest.epoch if newest else 0
    resumed = Resumed(newest.id, newest.epoch, newest.step, None, None) if newest else None
    yield Started("cpu", 1, 1, epochs, 1, 0, 1, {}, resumed)
    for epoch in range(begin + 1, epochs + 1):
        time.sleep(EPOCH_S)
        yield EpochDone(_row(epoch), best=True)
        asked = stop()
        if asked or epoch % CHECKPOINT_EVERY == 0:
            yield Checkpointed(_checkpoint(order.checkpoints, epoch, Occasion.STOP if asked else Occasion.EPOCH))
        if asked:
            yield Stopped()
            return
        while epoch == HELD_AT and Path(os.environ.get(HOLD, "")).is_file():
            time.sleep(EPOCH_S)
    (order.folder / WEIGHTS).write_bytes(BYTES)
    file = Artifact(WEIGHTS, WEIGHTS, "application/octet-stream", len(BYTES), SHA256)
    yield Finished(Reason.COMPLETED, (file,))


def _row(epoch: int) -> EpochRow:
    return EpochRow(epoch, 1 / epoch, None, {}, 0.1, EPOCH_S, 1 / EPOCH_S, 0.0)


def _checkpoint(root: Path, epoch: int, occasion: Occasion) -> Checkpoint:
    folder = root / f"{epoch:06d}-{0:08d}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / WEIGHTS).write_bytes(BYTES)
    file = CheckpointFile(WEIGHTS, len(BYTES), SHA256)
    return Checkpoint(new_id("ckpt"), folder.name, epoch, 0, occasion, (file,), cost=1 / epoch)
