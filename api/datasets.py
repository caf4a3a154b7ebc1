"""Datasets and their rows as text: JSON as the models document it, and CSV that no spreadsheet runs."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

from core.dataset import Dataset
from core.intake import to_json
from core.wire import dumps, rfc3339

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""How a cell begins that a spreadsheet may run as a formula (OWASP, CSV injection)."""


def dataset_path(dataset_id: str) -> str:
    """Where a dataset is."""
    return f"/v1/datasets/{dataset_id}"


def dataset_json(dataset: Dataset) -> str:
    """A dataset as `DatasetView` documents it."""
    path = dataset_path(dataset.id)
    return dumps(
        {
            "id": dataset.id,
            "sha256": dataset.sha256,
            "bytes": dataset.bytes,
            "filename": dataset.filename,
            "names": [{"name": name, "version": version} for name, version in dataset.names],
            "profile": to_json(dataset.profile),
            "created_at": rfc3339(dataset.created_at),
            "links": {"self": path, "rows": f"{path}/rows", "file": f"{path}/file"},
        }
    )


def rows_json(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Rows of a table as `RowsView` documents them."""
    return dumps({"columns": columns, "rows": rows})


def rows_csv(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Rows of a table as CSV; a word that begins as a formula does is led by an apostrophe."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(map(_harmless, columns))
    writer.writerows([_harmless(cell) for cell in row] for row in rows)
    return out.getvalue()


def _harmless(cell: Any) -> Any:
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell
