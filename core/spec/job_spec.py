"""The job spec: what a user asks for, with every default filled in and every problem told at once."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ModelWrapValidatorHandler, ValidationError, ValidationInfo, model_validator

import core.parts  # noqa: F401  (registers the parts)
from core.checks import Finding, explain, problems, refuse, shown
from core.errors import SpecRefused
from core.parts.limits import Epochs, Seed
from core.registry import optimizers, schedulers
from core.spec.auto import BatchSizeOrAuto, RateOrAuto
from core.spec.defaults import filled, last_resort
from core.spec.engine import (
    Clip,
    ClipValue,
    Compile,
    Frozen,
    MicroBatchSize,
    MovingAverage,
    ParamGroups,
    PrecisionName,
)
from core.spec.fields import (
    MAX_SEEDS,
    STRICT,
    AugmentationChoices,
    Checkpoints,
    DatasetChoice,
    EarlyStopping,
    Labels,
    Loader,
    LossChoice,
    MetricChoices,
    ModelChoice,
    Name,
    OptimizerChoice,
    Preprocess,
    Priority,
    Resources,
    SchedulerChoice,
    Seconds,
    Sharpness,
    Split,
)
from core.spec.lookup import Find, FindLeft, Look, Lookup
from core.spec.outline import Outline
from core.spec.phases import Phases, ends
from core.spec.rules import findings
from core.spec.size import oversized, without_facts
from core.spec.sound import sound_fields
from core.spec.splitting import column_findings
from core.spec.starting import InitChoice
from core.spec.worked_out import WorkedOut


def parse_spec(
    data: object, find: Find | None = None, look: Look | None = None, left: FindLeft | None = None
) -> JobSpec:
    """The spec in `data` (as JSON was read), or SpecRefused with all of its problems.

    `find` gives the uploads that a new spec may name, `look` what is in files, and `left` the weights of jobs; a stored
    spec holds what it needs of them and takes none of these.
    """
    asked = data if isinstance(data, dict) else {}
    lookup = None
    if find is not None:
        sections = {section: asked.get(section) for section in ("dataset", "split", "preprocess", "model")}
        lookup = Lookup(functools.cache(find), look and functools.cache(look), **sections, left=left)
    try:
        return JobSpec.model_validate(data, context=lookup)
    except ValidationError as error:
        raise SpecRefused(problems(error)) from None


class JobSpec(WorkedOut):
    """Everything that makes a job: only `dataset` and `model` must be given.

    A part (dataset, model, loss, optimizer, scheduler, metric, augmentation) is its name, or an object with its name
    and settings; it is kept and stored as the object. What depends on other fields (loss, metrics, lr, name,
    split.stratify, preprocess.target, early_stopping.monitor, checkpoints.monitor) is filled in too, so that a stored
    spec never changes its meaning with a default.
    """

    model_config = STRICT

    name: Name = Field(default_factory=last_resort, description="<dataset>-<model> when not given.")
    dataset: DatasetChoice
    split: Split = Split()
    preprocess: Preprocess = Preprocess()
    augment: AugmentationChoices = Field(
        default=(), description="What happens to training batches, in this order; never to validation and test."
    )
    model: ModelChoice
    init_from: InitChoice = Field(
        default=None,
        description="The weights to start from; null: random ones. A resume or a fork goes on from its own.",
    )
    loss: LossChoice = Field(
        default_factory=last_resort,
        description="bce for two classes and for labels, cross_entropy for more, mse for numbers when not given.",
    )
    optimizer: OptimizerChoice = Field(
        default_factory=lambda: optimizers.choose("adam"), json_schema_extra={"default": "adam"}
    )
    lr: RateOrAuto = Field(
        default_factory=last_resort,
        description="torch's own for the optimizer when not given; auto: found by a range test when the run begins.",
    )
    batch_size: BatchSizeOrAuto = Field(
        default=32, description="auto: the largest power of two that fits into memory, a fifth of what trains at most."
    )
    micro_batch_size: MicroBatchSize = None
    epochs: Epochs = 10
    scheduler: SchedulerChoice = Field(
        default_factory=lambda: schedulers.choose("constant"), json_schema_extra={"default": "constant"}
    )
    phases: Phases | None = Field(
        default=None,
        description="Trained by in turn; optimizer, lr and scheduler are then the first one's, epochs those of all.",
    )
    early_stopping: EarlyStopping | None = None
    sharpness: Sharpness | None = Field(
        default=None, description="Measured once, at the end, with the weights that are kept."
    )
    metrics: MetricChoices = Field(
        default_factory=last_resort, description="accuracy for classes, f1 for labels, rmse for numbers when not given."
    )
    loader: Loader = Loader()
    precision: PrecisionName = "fp32"
    clip_grad_value: ClipValue = None
    clip_grad_norm: Clip | None = None
    ema: MovingAverage | None = None
    param_groups: ParamGroups = ()
    freeze: Frozen = ()
    compile: Compile = False
    seed: Seed = 0
    seeds: Annotated[int, Field(ge=1, le=MAX_SEEDS)] = Field(
        default=1, description="Train as often over the same data, with seed, seed + 1, and so on."
    )
    checkpoints: Checkpoints = Checkpoints()
    deadline_s: Seconds | None = Field(
        default=None, description="How long the job may run, all attempts together; it then fails. null: any time."
    )
    stall_timeout_s: Seconds = Field(
        default=900.0, description="A run that makes no step for so long is ended and started again."
    )
    on_out_of_memory: Literal["fail", "accumulate"] = Field(
        default="fail",
        description="accumulate: go on with smaller micro-batches whose gradients add up to the same batch.",
    )
    priority: Priority = 0
    resources: Resources = Resources()
    labels: Labels = Field(default_factory=dict)

    @property
    def rounds(self) -> tuple[JobSpec, ...]:
        """The trainings that this job is made of, one after another: its own, or one for each fold or seed."""
        if self.seeds > 1:
            seeds = range(self.seed, self.seed + self.seeds)
            return tuple(self.model_copy(update={"seed": seed, "seeds": 1}) for seed in seeds)
        return tuple(self.model_copy(update={"split": split}) for split in self.split.rounds)

    @property
    def turns(self) -> tuple[JobSpec, ...]:
        """What is trained by in turn, each up to the end of its `epochs`: the spec itself, or one for each phase."""
        if self.phases is None:
            return (self,)
        phases = zip(self.phases, ends(self.phases), strict=True)
        return tuple(self.model_copy(update={**dict(one), "epochs": end, "phases": None}) for one, end in phases)

    @model_validator(mode="wrap")
    @classmethod
    def _judge(cls, data: Any, handler: ModelWrapValidatorHandler[Self], info: ValidationInfo) -> Self:
        """Fill in what depends on other fields, then tell the problems of fields and of their combination together."""
        if isinstance(data, cls):
            return data
        if not isinstance(data, dict):
            told = f"{shown(data)} is not a spec: give an object with at least a dataset and a model."
            raise refuse("spec", [Finding((), data, told, sorted(cls.model_fields))])
        if large := list(oversized(without_facts(data) if info.context is None else data)):
            raise refuse("spec", large)
        given = filled(data, info.context)
        try:
            spec = handler(given)
        except ValidationError as error:
            broken = explain(error, cls, noun="a spec")
            paths = [one["loc"] for one in error.errors(include_url=False, include_context=False, include_input=False)]
            sound = sound_fields(given, paths, validate=handler)
            raise refuse("spec", [*broken, *_combined(sound, info.context)]) from None
        if combined := _combined(spec.__dict__, info.context):
            raise refuse("spec", combined)
        return spec


def _combined(fields: Mapping[str, Any], lookup: Lookup | None) -> list[Finding]:
    """What does not fit together in these validated fields."""
    outline = Outline(fields)
    return [*findings(outline), *(column_findings(outline, lookup.profile, targets=lookup.targets) if lookup else ())]
