"""Texts as tokens: bytes, or byte pairs as the library `tokenizers` merges them, by its own JSON."""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import pairwise
from typing import Any

CONTRACTIONS = ("'s", "'t", "'re", "'ve", "'m", "'ll", "'d")
SPACES = frozenset("\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B))))
PIECE = re.compile(r"_?L+|_?N+|_?O+|[S_]+(?![LNO])|[S_]+")
"""GPT-2's words, over the kinds of the characters: letters, numbers, others, spaces."""


def tokens(row: Any, kept: Mapping[str, Any]) -> list[int]:
    """A text's first tokens, padded with 0: its bytes, or its byte pairs."""
    text = (row.get(kept["column"]) if isinstance(row, Mapping) else row) or ""
    text = text.strip() if kept["column"] else text
    state = json.dumps(kept["state"]) if kept["state"] else None
    ids = [byte + 1 for byte in text.encode()] if state is None else pairs(text, state)
    return [*ids[: kept["length"]], *[0] * (kept["length"] - len(ids))]


def pairs(text: str, state: str) -> list[int]:
    """Byte pairs as the library `tokenizers` merges them."""
    vocabulary, ranks = learned(state)
    found = []
    for piece in words(text):
        parts = [alphabet()[byte] for byte in piece.encode()]
        while len(parts) > 1:
            best = min(pairwise(parts), key=lambda pair: ranks.get(pair, math.inf))
            if best not in ranks:
                break
            parts = merged(parts, best)
        found += [vocabulary[part] + 1 for part in parts]
    return found


def merged(parts: list[str], pair: tuple[str, str]) -> list[str]:
    """The parts with each such pair as one."""
    found: list[str] = []
    place = 0
    while place < len(parts):
        joins = tuple(parts[place : place + 2]) == pair
        found.append("".join(pair) if joins else parts[place])
        place += 1 + joins
    return found


def words(text: str) -> Iterator[str]:
    """The text cut as GPT-2 does."""
    kinds, start = "".join(map(kind, text)), 0
    while start < len(text):
        short = next((one for one in CONTRACTIONS if text.startswith(one, start)), "")
        found = PIECE.match(kinds, start)
        end = start + len(short) if short or found is None else found.end()
        yield text[start:end]
        start = end


def kind(character: str) -> str:
    """L, N, S, _ for the space itself, or O for whatever else."""
    if character in SPACES:
        return "_" if character == " " else "S"
    first = unicodedata.category(character)[0]
    return first if first in "LN" else "O"


@cache
def learned(state: str) -> tuple[dict[str, int], dict[tuple[str, str], int]]:
    """The vocabulary, and the merges with their ranks."""
    model = json.loads(state)["model"]
    split = (one.split(" ") if isinstance(one, str) else one for one in model["merges"])
    return model["vocab"], {(left, right): rank for rank, (left, right) in enumerate(split)}


@cache
def alphabet() -> list[str]:
    """A character for each byte: itself where it can be seen."""
    seen = {*range(33, 127), *range(161, 173), *range(174, 256)}
    others = (chr(256 + place) for place in range(256))
    return [chr(byte) if byte in seen else next(others) for byte in range(256)]
