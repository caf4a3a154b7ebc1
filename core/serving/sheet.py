"""Predictions as a file: CSV with a cell for each number, or a JSON object a line; written without torch."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping
from typing import Any, Literal, TextIO

from core.wire import dumps

Told = Mapping[str, Any]

_PREFIXES = {"values": "", "probabilities": "probability "}


class Sheet:
    """What is written to `file`, each prediction behind the number of its row, from 0.

    A CSV has the columns of the first one; its file is opened with `newline=""`.
    """

    def __init__(self, file: TextIO, form: Literal["csv", "jsonl"] = "csv") -> None:
        self._file = file
        self._form = form
        self._cells: csv.DictWriter[str] | None = None
        self.count = 0

    def add(self, predictions: Iterable[Told]) -> None:
        """Write these behind those before."""
        for told in predictions:
            one = {"row": self.count, **told}
            if self._form == "csv":
                self._write(flat(one))
            else:
                self._file.write(f"{dumps(one)}\n")
            self.count += 1

    def _write(self, cells: dict[str, Any]) -> None:
        if self._cells is None:
            self._cells = csv.DictWriter(self._file, list(cells))
            self._cells.writeheader()
        self._cells.writerow(cells)


def flat(told: Told) -> dict[str, Any]:
    """A prediction as cells: each probability, target and step of a forecast in a column of its own."""
    cells: dict[str, Any] = {}
    for name, value in told.items():
        if isinstance(value, Mapping):
            cells |= {f"{_PREFIXES.get(name, f'{name} ')}{inner}": cell for inner, cell in value.items()}
        elif name == "forecast":
            cells |= {f"{name} {step}": cell for step, cell in enumerate(value, 1)}
        elif name == "labels":
            cells[name] = "|".join(value)
        else:
            cells[name] = json.dumps(value, ensure_ascii=False) if isinstance(value, list) else value
    return cells
