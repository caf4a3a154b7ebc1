"""From the bytes of an upload to a judged Profile, looked at in a process of its own; and its tables, read again.

The processes of the service import this room without polars; what needs it is loaded where it is called.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from core.dataset import Format, Kind
from core.intake.apart import first_rows, inspect_file
from core.intake.limits import Limits
from core.intake.wire import from_json, to_json

if TYPE_CHECKING:
    import polars as pl

    from core.intake.lazily import LazyTable

__all__ = ["Limits", "first_rows", "from_json", "inspect_file", "open_table", "read_table", "to_json"]


def read_table(path: Path, format: Format, columns: Mapping[str, Kind]) -> pl.DataFrame:  # noqa: A002
    """These columns of a table that passed inspection, null where a cell is missing.

    Number as Float64, boolean as Boolean, date as Datetime (microseconds, UTC), category and text as String. Rows of a
    CSV or TSV in which every cell is empty are left out, as they are in the profile. Raises InvalidData for a file that
    cannot be read like that.
    """
    from core.intake.reading import table

    return table(path, format, columns)


def open_table(path: Path, columns: Mapping[str, Kind]) -> LazyTable:
    """These columns of a Parquet table that passed inspection, as `read_table` gives them, each read when asked for."""
    from core.intake.lazily import LazyTable

    return LazyTable(path, columns)
