"""A checkpoint: a run as it stood between two steps, kept on disk so that it can go on from there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class Occasion(StrEnum):
    """Why a checkpoint was taken."""

    TIME = "time"
    EPOCH = "epoch"
    BEST = "best"
    STOP = "stop"
    MEMORY = "memory"


@dataclass(frozen=True, slots=True)
class CheckpointFile:
    """One file of a checkpoint: its name in the checkpoint's folder, its size and its SHA-256 in hex."""

    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Where a run can go on: behind `epoch` whole epochs and `step` steps of the next one.

    `path` is the checkpoint's folder: relative to the artifacts folder in rows, to the run's own checkpoints folder in
    what a run tells, absolute in an order. `cost` is the monitored figure of epoch `epoch`, turned so that less is
    better; None in mid-epoch.
    """

    id: str
    path: str
    epoch: int
    step: int
    occasion: Occasion
    files: tuple[CheckpointFile, ...]
    cost: float | None = None
    attempt: int = 0
    created_at: datetime | None = None

    @property
    def bytes(self) -> int:
        """What its files take on disk."""
        return sum(file.bytes for file in self.files)


@dataclass(frozen=True, slots=True)
class Stage:
    """An earlier part of a forked job: trained by `spec` up to the end of epoch `until`, when the next part begins."""

    spec: Mapping[str, Any]
    until: int
