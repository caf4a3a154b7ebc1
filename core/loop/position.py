"""Where a run stands: its stage, the epochs that have ended, the steps of the one that runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from core.job import EpochRow


@dataclass
class Position:
    """Behind `epoch` whole epochs and `step` steps of the next one, in stage number `stage` of the run."""

    stage: int = 0
    epoch: int = 0
    step: int = 0
    began: int = 0
    """The epoch behind which this round began: a stage of a run that began anew."""
    schedule_since: int = 0
    """The epoch behind which the learning rate's schedule began, counted within the round."""
    micro_batch: int | None = None
    """Samples that go through the model at a time: as the spec has it, or fewer once these did not fit into memory."""
    last: EpochRow | None = None
    """The row of the latest epoch that ended."""

    @property
    def running(self) -> int:
        """The epoch that runs, counted from 1 within its round: what is drawn rests on it."""
        return self.epoch - self.began + 1

    def end_epoch(self, row: EpochRow) -> None:
        """Stand behind the epoch of `row`."""
        self.epoch, self.step, self.last = row.epoch, 0, row

    def state_dict(self) -> dict[str, Any]:
        """The position as plain values."""
        return {**vars(self), "last": row_state(self.last)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Stand where `state` says."""
        vars(self).update(vars(Position(**{**state, "last": row_from(state["last"])})))


def row_state(row: EpochRow | None) -> dict[str, Any] | None:
    """An epoch's row as plain values; `row_from` is the inverse."""
    return None if row is None else asdict(row)


def row_from(state: Mapping[str, Any] | None) -> EpochRow | None:
    """The row with this state."""
    return None if state is None else EpochRow(**state)
