"""Texts as rows of tokens: by a tokenizer that the training part gave, kept as JSON beside the weights."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.data import PADDING
from core.registry import PartSettings, tokenizers
from core.tokenization import Tokenizer


@dataclass(frozen=True)
class Tokens:
    """What makes rows of `length` ids of texts; `column` is that of the table they stand in."""

    chosen: PartSettings
    tokenizer: Tokenizer
    length: int
    column: str | None = None

    def __call__(self, texts: Sequence[str | None]) -> NDArray[np.int64]:
        """The first tokens of each text, padded: `(texts, length)`; of an empty cell padding alone."""
        rows = np.full((len(texts), self.length), PADDING, np.int64)
        for row, text in zip(rows, texts, strict=True):
            ids = self.tokenizer.encode(text or "")[: self.length]
            row[: len(ids)] = ids
        return rows

    def statistics(self) -> dict[str, Any]:
        """What `model.json` keeps; `restore` is the inverse."""
        return {
            "tokenizer": self.chosen.model_dump(mode="json"),
            "state": self.tokenizer.statistics(),
            "length": self.length,
            "column": self.column,
        }

    @classmethod
    def restore(cls, statistics: Mapping[str, Any]) -> Tokens:
        """The tokens with these statistics."""
        chosen = tokenizers.choose(statistics["tokenizer"])
        tokenizer = tokenizers.get(chosen.name).facts["restore"](statistics["state"])
        return cls(chosen, tokenizer, statistics["length"], statistics["column"])


def learned(chosen: PartSettings | None, texts: Iterable[str], *, length: int, column: str | None = None) -> Tokens:
    """The tokens of the tokenizer that is chosen in a spec, learned from these texts alone.

    Raises InvalidSpec when its library is not installed here.
    """
    if chosen is None:
        raise ValueError("A spec of text has a tokenizer.")
    return Tokens(chosen, tokenizers.build(chosen, texts), length, column)
