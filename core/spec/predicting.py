"""A job that predicts all rows of an upload by the weights of another job: what may be asked, and what is stored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from core.checks import nearest, shown
from core.dataset import Column, Dataset, Facts, Form, Format, Kind, Profile
from core.encoding import Reading
from core.errors import SpecRefused
from core.job import Artifact, Problem
from core.parts.uploads import DatasetId
from core.spec.fields import STRICT, ColumnName, Labels, Name, Priority, Resources, Seconds
from core.spec.job_spec import JobSpec
from core.spec.resolving import FORMS
from core.spec.starting import JobId

SheetFormat = Literal["csv", "jsonl"]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Left = Mapping[Literal["card", "weights"], Artifact]
"""The two files that a trained job left."""

_WORDS: frozenset[Kind] = frozenset({"category", "text"})
_OF_WORDS: frozenset[Format] = frozenset({"csv", "tsv", "jsonl"})
"""Where each cell is a word first, so that a column of words may look like one of numbers."""


class PredictFacts(BaseModel):
    """What such a job rests on, as it was when it was queued: filled in by the service."""

    model_config = STRICT

    folder: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+/[0-9]+$")] = Field(
        description="Where the job's model lies in the folder of the artifacts."
    )
    card: Digest
    weights: Digest
    sha256: Digest = Field(description="That of the upload.")
    format: Format
    rows: Annotated[int, Field(ge=1)]
    time: ColumnName | None = Field(default=None, description="Of a series: the column by which rows must ascend.")


class Predict(BaseModel):
    """By whose weights, of which upload, and how the predictions are written."""

    model_config = STRICT

    job: JobId
    dataset: DatasetId
    format: SheetFormat
    facts: PredictFacts


class _Asked(BaseModel):
    """What a client may say of such a job beside what is predicted."""

    model_config = STRICT

    deadline_s: Seconds | None = Field(
        default=None, description="How long the job may run, all attempts together; it then fails. null: any time."
    )
    stall_timeout_s: Seconds = Field(
        default=900.0, description="A run that predicts nothing for so long is ended and started again."
    )
    priority: Priority = 0
    resources: Resources = Resources()
    labels: Labels = Field(default_factory=dict)


class PredictAsk(_Asked):
    """An upload whose rows are to be predicted, all of them, by a job of its own."""

    dataset: DatasetId = Field(description="An upload with the columns, or samples of the shape, of the training data.")
    format: SheetFormat = Field(default="csv", description="csv: a line for each row; jsonl: an object for each.")
    name: Name | None = Field(default=None, description="`predict <the name of the job>` when not given.")


class PredictSpec(_Asked):
    """The spec of a job that predicts; it is told apart by `predict`."""

    name: Name
    predict: Predict


def predict_spec(ask: PredictAsk, *, job_id: str, trained: Mapping[str, Any], left: Left, data: Dataset) -> PredictSpec:
    """The whole spec: `trained` is that of the job, `left` what it left, `data` the upload.

    Raises SpecRefused with all that does not fit.
    """
    spec = JobSpec.model_validate(dict(trained))
    if found := [*_one_process(ask.resources), *_misfits(spec, data.profile, job_id)]:
        raise SpecRefused(found)
    card, weights = left["card"], left["weights"]
    facts = PredictFacts(
        folder=str(PurePosixPath(card.path).parent),
        card=card.sha256,
        weights=weights.sha256,
        sha256=data.sha256,
        format=data.profile.format,
        rows=data.profile.rows,
        time=_time(spec, data.profile),
    )
    told = ask.model_dump(exclude={"dataset", "format", "name"})
    predict = Predict(job=job_id, dataset=ask.dataset, format=ask.format, facts=facts)
    return PredictSpec(**told, name=ask.name or f"predict {spec.name}"[:200], predict=predict)


def _time(spec: JobSpec, profile: Profile) -> str | None:
    """The column that says when the rows of a series were, where the upload has it."""
    series = spec.dataset.settings().get("series")
    return series.time if series and any(column.name == series.time for column in profile.columns) else None


def _one_process(resources: Resources) -> Iterator[Problem]:
    for name in ("devices", "nodes"):
        if (count := getattr(resources, name)) > 1:
            yield Problem(f"/resources/{name}", f"One process predicts, not {count}: leave it at 1.", [1])


def _misfits(spec: JobSpec, profile: Profile, job_id: str) -> Iterator[Problem]:
    """What is wrong with the upload, for this model."""
    facts: Facts | None = spec.dataset.settings().get("facts")
    if spec.data_shape.next_token:
        told = f"Job {job_id} is a language model: it takes a text, by POST /v1/jobs/{job_id}/predict."
        yield Problem("/dataset", told)
    elif profile.form not in (allowed := _forms(facts)):
        wanted = " or ".join(FORMS[form] for form in allowed)
        yield Problem("/dataset", f"This upload is {FORMS[profile.form]}; the model takes {wanted}.", list(allowed))
    elif facts is not None and facts.form == "table":
        time = _time(spec, profile)
        yield from _of_columns(facts.columns | ({} if time is None else {time: facts.others[time]}), profile)
        yield from _of_series(spec, job_id)
    elif profile.form == "arrays" and profile.shape != spec.data_shape.features:
        there, shape = list(profile.shape or ()), list(spec.data_shape.features)
        yield Problem("/dataset", f"Its samples have the shape {there}; the model takes {shape}.", {"shape": shape})


def _forms(facts: Facts | None) -> tuple[Form, ...]:
    """What an upload may be, by what was trained on; the features of bundled data have names."""
    return ("table", "arrays") if facts is None else (facts.form,)


def _of_columns(wanted: Mapping[str, str], profile: Profile) -> Iterator[Problem]:
    there = {column.name: column for column in profile.columns}
    for name, told in wanted.items():
        if name not in there:
            message = f"The upload has no column {shown(name)}, which the model was trained on.{nearest(name, there)}"
            yield Problem("/dataset", message, list(there)[:100])
        elif not _fits(Reading.parse(told).kind, there[name], profile.format):
            yield Problem("/dataset", _wrong_kind(there[name], Reading.parse(told).kind))


def _fits(kind: Kind, column: Column, format_: Format) -> bool:
    """Whether its cells can be read as in training; a column without any is one of every kind."""
    if column.distinct == 0 or column.kind == kind:
        return True
    return kind in _WORDS and (column.kind in _WORDS or format_ in _OF_WORDS)


def _wrong_kind(column: Column, wanted: Kind) -> str:
    told = f"The column {shown(column.name)} was {wanted} in training, and here it is {column.kind}"
    if column.odd is not None:
        row, cell = column.odd.places[0]
        return f"{told}: {shown(cell)} in row {row} is none."
    return f"{told}{f', for example {shown(column.examples[0])}' if column.examples else ''}."


def _of_series(spec: JobSpec, job_id: str) -> Iterator[Problem]:
    series = spec.dataset.settings().get("series")
    if series is not None and series.group is not None:
        told = (
            f"The rows of an upload are one series, and job {job_id} was trained on one for each "
            f"{shown(series.group)}: send the rows of one at a time to POST /v1/jobs/{job_id}/predict."
        )
        yield Problem("/dataset", told)
