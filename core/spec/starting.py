"""Starting weights: what a spec names, looked up when it is submitted, and written down with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, ValidationInfo, WrapValidator, model_validator

from core.checks import Finding, refuse, shown
from core.dataset import Dataset
from core.errors import Gone, NotFound
from core.job import Status
from core.parts.uploads import DatasetId, FilePath
from core.spec.fields import STRICT
from core.spec.lookup import Lookup
from core.spec.outline import Outline
from core.starting import Left

SOURCES = ("job", "upload", "file")

JobId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$", examples=["job_0199f0c2a1b27c3d8e4f5a6b7c8d9e0f"])]


class InitFacts(BaseModel):
    """The weights that a job starts from, as they were when it was queued: filled in by the service."""

    model_config = STRICT

    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    bytes: Annotated[int, Field(ge=1)]
    parameters: Annotated[int, Field(ge=0)] | None = Field(
        default=None, description="How many numbers the file holds; of a job, its model's parameters."
    )
    path: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+/[0-9]+/[A-Za-z0-9_.-]+$")] | None = Field(
        default=None, description="Of a job: where its weights lie in the folder of the artifacts."
    )


class InitFrom(BaseModel):
    """The weights to start from: those that a job kept, an uploaded file's, or a file's of TRAINWIRE_FILES.

    With `strict` they must be those of this very model, by name and shape. Without it what fits is taken, and the
    rest starts from random weights. `facts` is filled in when the job is submitted; a client's are not read.
    """

    model_config = STRICT

    job: JobId | None = Field(default=None, description="A job that has succeeded.")
    upload: DatasetId | None = Field(default=None, description="An uploaded .safetensors file.")
    file: FilePath | None = Field(default=None, description="A .safetensors file below TRAINWIRE_FILES.")
    strict: bool = True
    facts: InitFacts | None = None

    @model_validator(mode="after")
    def _names_one(self) -> InitFrom:
        if len(named := [one for one in SOURCES if getattr(self, one) is not None]) != 1:
            told = (
                f"Name one of {', '.join(SOURCES)}; there {'are' if named else 'is'} {' and '.join(named) or 'none'}."
            )
            raise refuse("init_from", [Finding((), named, told, list(SOURCES))])
        return self

    @property
    def source(self) -> tuple[Literal["job", "upload", "file"], str]:
        """Which of the settings names the weights, and what it says."""
        if self.job is not None:
            return "job", self.job
        return ("upload", self.upload) if self.upload is not None else ("file", self.file or "")

    @property
    def words(self) -> str:
        """What is named, for a sentence."""
        source, key = self.source
        return f"job {key}" if source == "job" else f"the {source} {key}"


def choose(value: Any, handler: Callable[[Any], InitFrom | None], info: ValidationInfo) -> InitFrom | None:
    """`value` with the facts of the weights that it names; raises ValidationError.

    With a Lookup as the context the facts are those found now, whatever came with `value`; without one they must be
    there, as they are in every stored spec.
    """
    lookup = info.context
    is_told = lookup is not None and isinstance(value, Mapping)
    chosen = handler({name: one for name, one in value.items() if name != "facts"} if is_told else value)
    if chosen is None or chosen.facts is not None:
        return chosen
    source, key = chosen.source
    found: InitFacts | str = "It is known only to the service that it was given to."
    if isinstance(lookup, Lookup):
        found = _of_job(key, lookup) if source == "job" else _of_file(key, source, lookup)
    if isinstance(found, str):
        raise refuse("init_from", [Finding((source,), key, found, "weights that are there")])
    return chosen.model_copy(update={"facts": found})


InitChoice = Annotated[InitFrom | None, WrapValidator(choose)]


def starting_weights_suffice(outline: Outline) -> Iterator[Finding]:
    """As many numbers are there as the model has, where all must fit; their names and shapes the run compares."""
    init: InitFrom | None = outline["init_from"]
    if init is None or not init.strict or init.facts is None or init.facts.parameters is None:
        return
    wanted, there = outline.cost.parameters, init.facts.parameters
    # a file holds more than parameters: the running means of batch norm
    if there < wanted or (init.job is not None and there != wanted):
        source, key = init.source
        told = (
            f"The weights of {init.words} hold {there:,} numbers, and this model has {wanted:,} parameters. Give the "
            "model that they are of, or set strict to false: what fits by name and shape is taken then."
        )
        yield Finding(("init_from", source), key, told, {"parameters": wanted})


def _of_job(job_id: str, lookup: Lookup) -> InitFacts | str:
    if lookup.left is None:
        return "Jobs are known only to the service that runs them."
    try:
        left = lookup.left(job_id)
    except (NotFound, Gone) as missing:
        return f"{missing.message} Name a job that has succeeded, or upload its weights."
    if left.status is not Status.SUCCEEDED or left.file is None:
        return _nothing_left(job_id, left)
    file = left.file
    return InitFacts(sha256=file.sha256, bytes=file.bytes, parameters=left.parameters, path=file.path)


def _nothing_left(job_id: str, left: Left) -> str:
    if left.status is Status.SUCCEEDED:
        return f"Job {job_id} has left no weights. Name another job, or upload weights."
    way = "Name another, or fork that one." if left.status.ended else "Submit this when it has."
    return f"Job {job_id} {left.status.stands}, and only one that has succeeded leaves weights. {way}"


def _of_file(key: str, source: str, lookup: Lookup) -> InitFacts | str:
    found = lookup.found("id" if source == "upload" else "path", key)
    if not isinstance(found, Dataset):
        return found
    profile = found.profile
    if profile.form != "weights":
        return f"{shown(key)} holds data ({profile.format}), not weights: give a .safetensors file."
    return InitFacts(sha256=found.sha256, bytes=found.bytes, parameters=profile.parameters)
