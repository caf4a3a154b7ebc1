"""The sections of a spec, each a frozen object with strict bounds and the defaults a practitioner would choose."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from core.choice import Choice
from core.parts.limits import Decay, Seed
from core.registry import (
    PartSettings,
    augmentations,
    datasets,
    losses,
    metrics,
    models,
    optimizers,
    schedulers,
    tokenizers,
)
from core.spec.resolving import choose_dataset

STRICT = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

# Printable text: a control character breaks terminals and log lines, and PostgreSQL stores no NUL.
_PRINTABLE = r"^[^\x00-\x1f\x7f-\x9f]*$"

Name = Annotated[str, Field(min_length=1, max_length=200, pattern=_PRINTABLE)]
LabelKey = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,62}$")]
LabelValue = Annotated[str, Field(max_length=200, pattern=_PRINTABLE)]
Labels = Annotated[dict[LabelKey, LabelValue], Field(max_length=32)]
Priority = Annotated[int, Field(ge=-1_000, le=1_000)]
QueueName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
MAX_MONITOR = 100
Monitor = Annotated[str, Field(max_length=MAX_MONITOR)]
ColumnName = Annotated[str, Field(min_length=1, max_length=1_000)]
Share = Annotated[float, Field(ge=0, lt=1)]
Length = Annotated[int, Field(ge=1, le=8_192)]
Seconds = Annotated[float, Field(gt=0, le=315_360_000)]
"""Up to ten years."""
Device = Annotated[str, Field(pattern=r"^(auto|cpu|mps|cuda(:(0|[1-9][0-9]?))?)$", examples=["auto", "cpu", "cuda:0"])]

MAX_FOLDS = 20
MAX_SEEDS = 100

LEAST_MEMORY_GB = 0.5
"""A child that holds torch and has trained nothing takes about 0.4 GB of RLIMIT_DATA."""

DatasetChoice = Annotated[PartSettings, Choice(datasets, choose_dataset)]
ModelChoice = Annotated[PartSettings, Choice(models)]
LossChoice = Annotated[PartSettings, Choice(losses)]
OptimizerChoice = Annotated[PartSettings, Choice(optimizers)]
SchedulerChoice = Annotated[PartSettings, Choice(schedulers)]
MetricChoice = Annotated[PartSettings, Choice(metrics)]
TokenizerChoice = Annotated[PartSettings, Choice(tokenizers)]
MetricChoices = Annotated[tuple[MetricChoice, ...], Field(strict=False, max_length=16)]
AugmentationChoice = Annotated[PartSettings, Choice(augmentations)]
AugmentationChoices = Annotated[tuple[AugmentationChoice, ...], Field(strict=False, max_length=16)]


def _no_number(value: Any) -> Any:
    """Refuse 0 and 1, which a Literal takes for False and True."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise PydanticCustomError("literal_error", "Input should be 'auto', true or false")
    return value


def _room_for_torch(value: Any) -> Any:
    """Refuse what PyTorch itself would not fit into, with the reason."""
    if isinstance(value, int | float) and not isinstance(value, bool) and value < LEAST_MEMORY_GB:
        told = f"a run holds some 0.4 GB before its first sample, so give at least {LEAST_MEMORY_GB}"
        raise PydanticCustomError("memory_too_small", "{told}", {"told": told})
    return value


class Split(BaseModel):
    """Which share of the samples validates and which tests (0: none), and how they are chosen."""

    model_config = STRICT

    validation: Share | None = Field(default=0.2, description="null where a column or folds say it.")
    test: Share | None = Field(
        default=0.0,
        description="Looked at once, at the end, with the weights that are kept; null where a column says it.",
    )
    seed: Seed = 0
    stratify: bool = Field(
        default=True,
        description="Keep the classes' shares in all parts; true for classes, false for numbers, by time, column or "
        "group.",
    )
    time: ColumnName | None = Field(
        default=None, description="A column of a table: the last in time test, those before them validate."
    )
    column: ColumnName | None = Field(
        default=None, description="A column of a table whose cells say train, validation or test."
    )
    group: ColumnName | None = Field(
        default=None, description="A column of a table: all rows with the same value are in one part."
    )
    folds: Annotated[int, Field(ge=2, le=MAX_FOLDS)] | None = Field(
        default=None, description="Cross-validation: train as often, each time with another of so many parts held back."
    )
    fold: Annotated[int, Field(ge=1, le=MAX_FOLDS)] | None = Field(
        default=None, description="Train this one of the folds alone; null: all of them, one after another."
    )

    @property
    def by(self) -> str | None:
        """The column that says which part a row is in, or which rows are together."""
        return self.time or self.column or self.group

    @property
    def rounds(self) -> tuple[Split, ...]:
        """The splits that are trained on one after another: this one, or each of its folds."""
        if self.folds is None or self.fold is not None:
            return (self,)
        return tuple(self.model_copy(update={"fold": fold}) for fold in range(1, self.folds + 1))


class Preprocess(BaseModel):
    """How features and target are scaled, by figures of the training part."""

    model_config = STRICT

    features: Literal["standard", "per_channel", "minmax", "none"] = Field(
        default="standard",
        description="standard and minmax: by column, or by all pixels for a model of images; "
        "per_channel: standard for each channel of pictures.",
    )
    target: Literal["standard", "none"] = Field(
        default="none", description="standard for an upload's target of numbers when not given."
    )
    text: TokenizerChoice | None = Field(
        default=None, description="The tokenizer of a text, fitted on the training part; bytes when not given."
    )
    max_length: Length | None = Field(
        default=None, description="Tokens read of each cell of a text column; 256 when not given."
    )
    block_size: Length | None = Field(
        default=None, description="Tokens of each window of a plain text; 128 when not given."
    )


class EarlyStopping(BaseModel):
    """End when the monitored figure has not improved by more than `min_delta` for `patience` epochs."""

    model_config = STRICT

    monitor: Monitor = Field(
        default="val_loss", description="train_loss, val_loss or val_<metric>; train_loss without a validation part."
    )
    patience: Annotated[int, Field(ge=1, le=100_000)] = 5
    min_delta: Decay = 0.0
    restore_best: bool = True


class Sharpness(BaseModel):
    """How sharp the minimum is: the cost where every filter of the kept weights moves by `radius` of its norm."""

    model_config = STRICT

    radius: Annotated[float, Field(gt=0, le=10)] = Field(
        default=0.05, description="How far each filter moves, as a share of its own norm."
    )
    directions: Annotated[int, Field(ge=1, le=1_000)] = 10
    samples: Annotated[int, Field(ge=1, le=10_000_000)] | None = Field(
        default=4_096, description="Of those that train, drawn by the seed, over which the cost is taken; null: all."
    )


class Checkpoints(BaseModel):
    """When a run is kept on disk so that it can go on from there, and how many of these checkpoints stay."""

    model_config = STRICT

    every_s: Annotated[float, Field(ge=0, le=86_400)] | None = Field(
        default=15.0, description="At the first step so long after the last one; 0: at every step; null: never by time."
    )
    every_epochs: Annotated[int, Field(ge=1, le=100_000)] | None = Field(
        default=None, description="Also at the end of every so many epochs."
    )
    keep_last: Annotated[int, Field(ge=1, le=100)] = Field(
        default=2, description="How many of the newest stay; with 2, one that turns out broken is no loss."
    )
    keep_best: Annotated[int, Field(ge=0, le=100)] = Field(
        default=0, description="How many of the best by `monitor` stay beside them; above 0, each best epoch makes one."
    )
    monitor: Monitor = Field(
        default="val_loss",
        description="What makes one the best; that of early_stopping, else val_loss, or train_loss without a "
        "validation part, when not given.",
    )


class Loader(BaseModel):
    """How batches are made."""

    model_config = STRICT

    shuffle: bool = True
    num_workers: Annotated[int, Field(ge=0, le=64)] = 0
    drop_last: bool = False
    pin_memory: Annotated[Literal["auto", True, False], BeforeValidator(_no_number)] = "auto"
    streaming: bool = Field(
        default=False,
        description="Read features from the file when they are needed: a Parquet table, which is then shuffled by "
        "blocks, or a zip of pictures. When not given, true for one whose features take more than 1 GiB as float32, "
        "or than a tenth of what resources.memory_gb leaves beside torch.",
    )


class Resources(BaseModel):
    """Where the job may run and how many threads compute; the threads are part of what makes its numbers."""

    model_config = STRICT

    device: Device = "auto"
    devices: Annotated[int, Field(ge=1, le=64)] = Field(
        default=1,
        description="How many devices train together, a process for each: GPUs, or so many times the threads.",
    )
    nodes: Annotated[int, Field(ge=1, le=64)] = Field(
        default=1, description="How many machines, each with so many devices; beside the worker they are its members."
    )
    sharding: Literal["ddp", "fsdp"] = Field(
        default="ddp",
        description="ddp: each of several devices has all weights, and their gradients are added up; fsdp: each keeps "
        "a piece of the weights, the gradients and the optimizer's state.",
    )
    threads: Annotated[int, Field(ge=1, le=256)] = 1
    queue: QueueName | None = None
    memory_gb: Annotated[float, Field(ge=LEAST_MEMORY_GB, le=65_536), BeforeValidator(_room_for_torch)] | None = Field(
        default=None, description="The most main memory that the run may hold, in GB (10^9 bytes); null: any."
    )

    @property
    def processes(self) -> int:
        """How many processes train together, on all nodes."""
        return self.nodes * self.devices
