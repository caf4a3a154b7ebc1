"""What a run tells while it goes on: the values that the training loop yields and the store records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.checkpoint import Checkpoint
from core.job import Artifact, EpochRow, ErrorInfo, Progress, Reason
from core.usage import Memory, Trial


@dataclass(frozen=True, slots=True)
class Resumed:
    """The run goes on from a checkpoint; `inexact` says why its figures may differ in their last bits, if they may.

    `best` is the best epoch's row so far.
    """

    checkpoint: str
    epoch: int
    step: int
    inexact: str | None
    best: EpochRow | None


@dataclass(frozen=True, slots=True)
class Started:
    """The run is assembled: sizes in samples, `steps_per_epoch` optimizer steps, the device it trains on.

    `resumed` is None when it starts from random weights; `resolved` are the numbers where the spec says "auto", if it
    does.
    """

    device: str
    parameters: int
    steps_per_epoch: int
    epochs: int
    train_samples: int
    val_samples: int
    threads: int
    versions: Mapping[str, str]
    resumed: Resumed | None = None
    test_samples: int = 0
    devices: int = 1
    inexact: str | None = None
    """Why its figures are not those of one process, if they are not."""
    trainable: int | None = None
    """How many of the parameters train."""
    resolved: Mapping[str, float] | None = None
    predict_samples: int | None = None
    """How many it predicts, where that is all it does."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What the run takes by now."""

    memory: Memory


@dataclass(frozen=True, slots=True)
class Probed:
    """What a trial took: the last word of one, which no job stores."""

    trial: Trial


@dataclass(frozen=True, slots=True)
class EpochDone:
    """An epoch ended; `best` says whether the monitored figure is the best so far."""

    row: EpochRow
    best: bool


@dataclass(frozen=True, slots=True)
class Checkpointed:
    """A checkpoint lies on the disk, whole; it counts once its row is stored."""

    checkpoint: Checkpoint


@dataclass(frozen=True, slots=True)
class Logged:
    """Lines that the run printed (`stream` is `stdout` or `stderr`)."""

    lines: tuple[str, ...]
    stream: str = "stdout"


@dataclass(frozen=True, slots=True)
class Noticed:
    """Something the user should know: a stable `code`, a sentence and its facts."""

    code: str
    message: str
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Finished:
    """The run succeeded: why it ended, the files it leaves, and the figures of the test part if there is one.

    `folds` are those of a cross-validation, for JSON: each fold's `figures`, and their `mean` and `std`; `seeds` are
    those of several seeds, with the `margin` of each mean. `sharpness` is how much the cost rises about the weights.
    `memory` is what it took.
    """

    reason: Reason
    artifacts: tuple[Artifact, ...]
    test: Mapping[str, float] | None = None
    folds: Mapping[str, Any] | None = None
    memory: Memory | None = None
    seeds: Mapping[str, Any] | None = None
    sharpness: Mapping[str, float] | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """The run failed for good: `error.code` is the job's reason."""

    reason: Reason
    error: ErrorInfo


@dataclass(frozen=True, slots=True)
class Stopped:
    """The run stopped as it was asked to, behind its last checkpoint: the last word of such a run."""


RunEvent = (
    Started | Progress | Measured | Probed | EpochDone | Checkpointed | Logged | Noticed | Stopped | Finished | Failed
)
