"""An upload as the API shows it: what it is called, and what was found in it."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from core.dataset import Form, Format, Kind
from core.views.page import Page, View


class OddView(View):
    """The few cells that keep a column from being numbers: how many, of how many, and the first with their rows."""

    count: int = Field(ge=1)
    cells: int = Field(ge=1)
    places: list[tuple[int, str]]


class ColumnView(View):
    """A column of a table. `missing` are empty cells; `counts`, how often each value occurs, where there are few.

    `groups` says how many values occur how often: `3x20 5x4` are 20 values in 3 rows each, and 4 values in 5 rows each.
    """

    name: str
    kind: Kind
    missing: int = Field(ge=0)
    distinct: int = Field(ge=0)
    minimum: float | str | None = None
    maximum: float | str | None = None
    mean: float | None = None
    examples: list[str] = Field(default_factory=list)
    counts: dict[str, int] | None = None
    groups: str | None = None
    odd: OddView | None = None


class TargetsView(View):
    """The targets that came with arrays: so many classes, or rows of so many numbers."""

    classes: int | None = None
    outputs: int = 1


class TensorView(View):
    """One tensor of weights: its name in the model, its type in the words of safetensors, its shape."""

    name: str
    dtype: str
    shape: list[int]


class ProfileView(View):
    """What was found in a file: the columns of a table; one sample's shape and the classes of arrays and pictures.

    Of weights the first tensors in the order of the file; `rows` is how many there are, and `parameters` how many
    numbers they hold.
    """

    form: Form
    format: Format
    rows: int = Field(ge=0)
    columns: list[ColumnView] = Field(default_factory=list)
    shape: list[int] | None = None
    classes: list[str] | None = None
    targets: TargetsView | None = None
    tensors: list[TensorView] = Field(default_factory=list)
    parameters: int | None = None


class DatasetNameView(View):
    """A name that a dataset was given; uploading other data under it makes the next version."""

    name: str
    version: int = Field(ge=1)


class DatasetLinksView(View):
    """Where a dataset is, its first rows and its file."""

    self: str
    rows: str
    file: str


class DatasetView(View):
    """An upload. The same bytes are the same dataset, whatever names and files they came under."""

    id: str
    sha256: str
    bytes: int = Field(ge=0)
    filename: str
    names: list[DatasetNameView]
    profile: ProfileView
    created_at: datetime
    links: DatasetLinksView


class DatasetPage(Page[DatasetView]):
    """Datasets, newest first."""


class RowsView(View):
    """The first rows of a table: each has a cell for each column, null where it is empty."""

    columns: list[str]
    rows: list[list[float | bool | str | None]]
