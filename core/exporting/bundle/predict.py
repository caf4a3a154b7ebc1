"""Predict with the exported model that lies beside this file: `python predict.py rows.csv`, with torch alone.

Rows are a CSV with a header or JSON (a list, or one row a line), texts also a .txt (one a line). Pictures are files of
their own and need Pillow too. Each answer is a line of JSON.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from core.exporting.bundle.pictures import pixels
from core.exporting.bundle.scaling import scale, unscale
from core.exporting.bundle.tables import encoded
from core.exporting.bundle.texts import tokens

HERE = Path(__file__).resolve().parent


class Model:
    """The network, what `model.json` says was done to its training data, and in `task.json` what its answers are."""

    def __init__(self, folder: Path = HERE) -> None:
        self.card: dict[str, Any] = json.loads((folder / "model.json").read_bytes())
        self.task: dict[str, Any] = json.loads((folder / "task.json").read_bytes())
        self.network = torch.export.load(folder / "model.pt2").module()
        self.prepared: dict[str, Any] = self.card["preprocess"]

    @torch.no_grad()
    def scores(self, rows: Sequence[Any]) -> Tensor:
        """What the network gives for these rows: logits, or scaled numbers."""
        scores: Tensor = self.network(self.prepare(rows))
        return scores

    def prepare(self, rows: Sequence[Any]) -> Tensor:
        """The rows as the network wants them: encoded and scaled as in training, or tokens."""
        if self.prepared["text"]:
            return torch.tensor([tokens(row, self.prepared["text"]) for row in rows])
        scaled, window = scale(self._numbers(rows), self.prepared["features"]), self.task["window"]
        if not window:
            return scaled
        if len(scaled) < window:
            raise ValueError(f"Give at least {window} rows of the series.")
        return scaled.unfold(0, window, 1).contiguous()

    def _numbers(self, rows: Sequence[Any]) -> Tensor:
        shape, columns = self.card["shape"]["features"], self.prepared["columns"]
        if columns:
            for code in columns:
                if not any(code["name"] in row for row in rows):
                    raise ValueError(f"The rows have no column {code['name']!r}, which the model was trained on.")
            found = [[number for code in columns for number in encoded(row, code)] for row in rows]
            return torch.tensor(found, dtype=torch.float64)
        if isinstance(rows[0], Path):
            return torch.stack([pixels(row, shape, self.task["resize"]) for row in rows])
        plain = torch.tensor([self._plain(row) for row in rows], dtype=torch.float64)
        return plain.reshape(len(rows), *shape)

    def _plain(self, row: Any) -> Any:
        """A row's numbers: by their names where they have any, else in their order."""
        if not isinstance(row, Mapping):
            return row
        return [float(row[name]) for name in self.card["features"] or row]

    def answers(self, rows: Sequence[Any]) -> Iterator[dict[str, Any]]:
        """What the scores mean: a class, labels, or numbers in the target's own unit."""
        scores, task, names = self.scores(rows), self.task["task"], self.task["names"]
        if task == "classes":
            yield from (_class(each, names) for each in scores.softmax(1).tolist())
        elif task == "binary":
            seconds = scores.sigmoid() if scores.shape[1] == 1 else scores.softmax(1)[:, 1:]
            yield from (_class([1 - each, each], names) for each in seconds[:, 0].tolist())
        elif task == "labels":
            yield from (_labels(each, names) for each in scores.sigmoid().tolist())
        else:
            numbers = unscale(scores, self.prepared["target"]).tolist()
            yield from (self._told(each, place) for place, each in enumerate(numbers))

    def _told(self, numbers: list[Any], place: int) -> dict[str, Any]:
        if self.task["window"]:
            return {"behind_row": place + self.task["window"], "forecast": numbers}
        if self.task["task"] == "reconstruction":
            return {"reconstruction": numbers}
        if len(numbers) == 1:
            return {"value": numbers[0]}
        targets = self.task["targets"]
        return {"values": dict(zip(targets, numbers, strict=True)) if targets else numbers}


def _class(shares: Sequence[float], names: Sequence[str]) -> dict[str, Any]:
    best = max(range(len(shares)), key=shares.__getitem__)
    return {"class": names[best], "probabilities": dict(zip(names, shares, strict=True))}


def _labels(shares: Sequence[float], names: Sequence[str]) -> dict[str, Any]:
    told = dict(zip(names, shares, strict=True))
    return {"labels": [name for name in names if told[name] > 0.5], "probabilities": told}


def read(path: Path) -> list[Any]:
    """The rows of a file, or the path itself where it is a picture's."""
    if path.suffix.lower() not in (".csv", ".tsv", ".json", ".jsonl", ".txt"):
        return [path]
    text = path.read_text(encoding="utf-8-sig")
    if path.suffix.lower() in (".csv", ".tsv"):
        return list(csv.DictReader(text.splitlines(keepends=True), delimiter="\t" if path.suffix == ".tsv" else ","))
    if path.suffix.lower() == ".txt":
        return text.splitlines()
    return list(json.loads(text)) if text.lstrip().startswith("[") else list(map(json.loads, text.splitlines()))


def main() -> None:
    """Answer for the rows of the files that are named."""
    rows = [row for name in sys.argv[1:] for row in read(Path(name))]
    if not rows:
        sys.exit(__doc__)
    for answer in Model().answers(rows):
        print(json.dumps(answer, ensure_ascii=False))


if __name__ == "__main__":
    main()
