"""Datasets in a person's words: their list, their columns as a table, their first rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from core.sentences import plain, size
from core.views import ColumnView, DatasetView, ProfileView, RowsView

_COUNTED = 12
"""Values told with their counts; of more there are examples."""
_WIDE = 40


def datasets_table(datasets: Iterable[DatasetView]) -> Table:
    """The datasets, one a line with its whole id."""
    table = Table(box=None, pad_edge=False)
    for name in ("id", "name", "file", "holds", "size", "uploaded"):
        table.add_column(name, no_wrap=name not in {"name", "file"})
    for one in datasets:
        at = f"{one.created_at:%Y-%m-%d %H:%M}"
        table.add_row(*map(Text, (one.id, _names(one), _cut(one.filename), holds(one.profile), size(one.bytes), at)))
    return table


def dataset_page(dataset: DatasetView) -> RenderableType:
    """What a dataset is, and its schema as a table."""
    facts = Table.grid(padding=(0, 2))
    for name, value in _facts(dataset).items():
        facts.add_row(Text(name, style="bold"), Text(value))
    if dataset.profile.tensors:
        return Group(facts, Text(), _tensors(dataset.profile))
    if not dataset.profile.columns:
        return facts
    odd = [Text(_odd(one), style="yellow") for one in dataset.profile.columns if one.odd]
    return Group(facts, Text(), _columns(dataset.profile), *([Text(), *odd] if odd else []))


def in_a_spec(dataset: DatasetView) -> str:
    """How a spec names it."""
    if dataset.profile.form == "weights":
        return f'"init_from": {{"upload": "{dataset.id}"}}'
    target = ', "target": "…"' if dataset.profile.form == "table" else ""
    return f'"dataset": {{"name": "upload", "id": "{dataset.id}"{target}}}'


def holds(profile: ProfileView) -> str:
    """What kind of data that is, and how much."""
    shape = " x ".join(map(str, profile.shape or ()))
    match profile.form:
        case "table":
            return f"{profile.rows:,} rows of {len(profile.columns)} columns"
        case "images":
            return f"{profile.rows:,} pictures of {shape} in {len(profile.classes or ())} classes"
        case "text":
            return f"{profile.rows:,} lines of text"
        case "weights":
            return f"weights of a model: {profile.rows:,} tensors, {profile.parameters or 0:,} numbers"
    return f"{profile.rows:,} samples of {shape}{_targets(profile)}"


def rows_table(rows: RowsView) -> Table:
    """The first rows; empty cells are empty."""
    table = Table(box=None, pad_edge=False)
    for name in rows.columns:
        table.add_column(Text(_cut(name)))
    for row in rows.rows:
        table.add_row(*[Text(_value(cell)) for cell in row])
    return table


def _facts(dataset: DatasetView) -> dict[str, str]:
    facts = {
        "id": dataset.id,
        "name": _names(dataset),
        "file": f"{plain(dataset.filename)} ({size(dataset.bytes)})",
        "sha256": dataset.sha256,
        "holds": f"{holds(dataset.profile)}, as {dataset.profile.format}",
        "uploaded": f"{dataset.created_at:%Y-%m-%d %H:%M:%S} UTC",
    }
    return {name: value for name, value in facts.items() if value}


def _columns(profile: ProfileView) -> Table:
    table = Table(box=None, pad_edge=False)
    for name in ("column", "kind", "missing", "distinct", "min", "max", "mean", "values"):
        table.add_column(name, justify="right" if name in {"missing", "distinct", "min", "max", "mean"} else "left")
    for one in profile.columns:
        values = _counts(one.counts) if _is_told(one) else ", ".join(map(_cut, one.examples))
        numbers = [_value(value) for value in (one.minimum, one.maximum, one.mean)]
        table.add_row(*map(Text, (_cut(one.name), one.kind, f"{one.missing:,}", f"{one.distinct:,}", *numbers, values)))
    return table


def _tensors(profile: ProfileView) -> RenderableType:
    """The first tensors, one a line, and how many more there are."""
    table = Table(box=None, pad_edge=False)
    for name in ("tensor", "type", "shape"):
        table.add_column(name)
    for one in profile.tensors:
        table.add_row(*map(Text, (_cut(one.name), one.dtype, " x ".join(map(str, one.shape)) or "one number")))
    more = profile.rows - len(profile.tensors)
    return Group(table, Text(f"and {more:,} more")) if more else table


def _odd(column: ColumnView) -> str:
    """What keeps a column from being numbers."""
    if column.odd is None:
        return ""
    places = ", ".join(f"{_cut(repr(word))} in row {row:,}" for row, word in column.odd.places)
    more = ", …" if column.odd.count > len(column.odd.places) else ""
    cells = f"{column.odd.count:,} of {column.odd.cells:,} cells"
    return f"{_cut(column.name)} is {column.kind}, not numbers, for {cells}: {places}{more}"


def _is_told(column: ColumnView) -> bool:
    """Whether how often each value occurs says more than a few examples do."""
    return bool(column.counts) and (column.kind == "category" or column.distinct <= _COUNTED)


def _counts(counts: Mapping[str, int] | None) -> str:
    told = [f"{_cut(value)} {count:,}" for value, count in (counts or {}).items()]
    return ", ".join([*told[:_COUNTED], "…"] if len(told) > _COUNTED else told)


def _targets(profile: ProfileView) -> str:
    if profile.targets is None:
        return " without targets"
    return (
        f" in {profile.targets.classes} classes" if profile.targets.classes else f", {profile.targets.outputs} targets"
    )


def _names(dataset: DatasetView) -> str:
    return ", ".join(f"{plain(one.name)} v{one.version}" for one in dataset.names)


def _value(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:.6g}" if isinstance(value, float) else _cut(str(value))


def _cut(words: str) -> str:
    """Others' words on one line, and not too long for it."""
    return plain(words if len(words) <= _WIDE else f"{words[: _WIDE - 1]}…")
