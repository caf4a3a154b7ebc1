"""Stored data: what an upload is, what was found in it, and what of that a job rests on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Form = Literal["table", "arrays", "images", "text", "weights"]
"""Rows and columns; one array of samples, with or without one of targets; pictures in class folders; a plain text; and
the weights of a model, which are no data: a job may start from them."""
Format = Literal["csv", "tsv", "parquet", "arrow", "jsonl", "npz", "npy", "zip", "txt", "safetensors"]
Kind = Literal["number", "boolean", "category", "date", "text"]
"""What a column holds; `text` are words that hardly ever repeat: a name, a note, an id."""


@dataclass(frozen=True, slots=True)
class Odd:
    """The few cells of a column that keep it from being numbers: how many, of how many, and the first with its row."""

    count: int
    cells: int
    places: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table. `counts`: how often each value occurs, when there are few; `missing` are empty cells.

    `groups`: how many values occur how often (`3x20 5x4`: 20 values in 3 rows each), when these can be counted.
    """

    name: str
    kind: Kind
    missing: int
    distinct: int
    minimum: float | str | None = None
    maximum: float | str | None = None
    mean: float | None = None
    examples: tuple[str, ...] = ()
    counts: Mapping[str, int] | None = None
    groups: str | None = None
    odd: Odd | None = None


@dataclass(frozen=True, slots=True)
class Targets:
    """The targets that came with arrays: so many classes, or rows of so many numbers."""

    classes: int | None
    outputs: int = 1


@dataclass(frozen=True, slots=True)
class Tensor:
    """One tensor of weights: its name in the model, its type in the words of safetensors (`F32`), its shape."""

    name: str
    dtype: str
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Profile:
    """What was found in a file. `shape`: one sample's, of arrays and images; `classes`: the class folders' names.

    The `rows` of a text are its lines, those of weights their tensors; of these `tensors` are the first, in the order
    in which they lie in the file, and `parameters` is how many numbers all of them hold.

    `targets` are the classes or the width of the targets that came with arrays, None without any.
    """

    form: Form
    format: Format
    rows: int
    columns: tuple[Column, ...] = ()
    shape: tuple[int, ...] | None = None
    classes: tuple[str, ...] | None = None
    targets: Targets | None = None
    tensors: tuple[Tensor, ...] = ()
    parameters: int | None = None


@dataclass(frozen=True, slots=True)
class Dataset:
    """An upload: content-addressed, so that the same file is the same dataset, under every name that it was given."""

    id: str
    sha256: str
    bytes: int
    filename: str
    profile: Profile
    created_at: datetime
    names: tuple[tuple[str, int], ...] = field(default=())
    """Each name with the version that this is under it."""


class Series(BaseModel):
    """A table as series: rows in the order of `time`, those of one `group` by themselves; the next are forecast."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    time: Annotated[str, Field(min_length=1, max_length=1_000, description="A column of dates or numbers.")]
    window: Annotated[int, Field(ge=1, le=100_000, description="How many rows are looked at.")]
    horizon: Annotated[int, Field(ge=1, le=10_000, description="How many rows behind these are forecast.")] = 1
    group: Annotated[str, Field(min_length=1, max_length=1_000)] | None = Field(
        default=None, description="A column that tells series apart; null: all rows are one."
    )


Held = Literal["validation", "test"]
"""A part that may come in a file of its own."""


class Apart(BaseModel):
    """A file that validates or tests and nothing else, as it was when the job was queued."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    format: Format
    samples: Annotated[int, Field(ge=1)]


class Facts(BaseModel):
    """What a job rests on in an upload, as it was when the job was queued: filled in by the service.

    `columns` are those of a table that the model learns from, in the file's order: `number`, `boolean`, `date`,
    `category 3` (distinct values), each with a `?` behind it when cells are missing; `target` is that of the column to
    predict. `features`, `classes` and `outputs` are those of `DataShape`; a table's features are the encoded columns.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    format: Format
    form: Form
    samples: Annotated[int, Field(ge=1)]
    features: Annotated[tuple[int, ...], Field(strict=False)]
    classes: int | None = None
    outputs: int = 1
    columns: dict[str, str] = Field(default_factory=dict)
    split_counts: dict[str, int] = Field(default_factory=dict)
    """How many samples a split column gives to `train`, `validation` and `test`; empty without one."""
    groups: str | None = None
    """How large the groups of a split by group are (`core.groups`); None without one."""
    target: str | None = None
    targets: dict[str, str] = Field(default_factory=dict)
    """The columns to predict where the spec names a list of them, told like `columns`."""
    labels: Annotated[tuple[str, ...] | None, Field(strict=False)] = None
    """The labels that a sample may have, any number of them; `outputs` is how many there are."""
    others: dict[str, str] = Field(default_factory=dict)
    """Columns that are read but not learned from, told like `columns`: the split's and those that make a series."""
    series: str | None = None
    """How many rows the series have (`core.groups`), where samples are windows; None where each row is a sample."""
    itself: bool = False
    """Whether the model reconstructs what it is given, so that nothing here is read as a target."""
    apart: dict[Held, Apart] = Field(default_factory=dict)
    """The parts that come in files of their own; none of the others' figures counts these."""

    @property
    def text_column(self) -> str | None:
        """The column of a table whose text is learned from, if it is one."""
        return next((name for name, told in self.columns.items() if told.removesuffix("?") == "text"), None)

    @property
    def reads_text(self) -> bool:
        """Whether samples are tokens."""
        return self.form == "text" or self.text_column is not None
