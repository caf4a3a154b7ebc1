"""Tokenizers: each is built from the texts of the training part, and restored from what `model.json` keeps of it.

Of the facts, `vocabulary` is how many ids there are at most, padding among them, by the settings; `restore` is the
inverse of a tokenizer's `statistics`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from core.registry import tokenizers

if TYPE_CHECKING:
    from core.tokenization import Tokenizer

LEAST = 257
"""Ids of the bytes and of padding: with them no text is unknown."""


def _of_bytes(**_: Any) -> int:
    return LEAST


def _of_pairs(*, vocab_size: int, **_: Any) -> int:
    return vocab_size


def _bytes_again(statistics: Mapping[str, Any]) -> Tokenizer:
    from core.tokenization import ByteTokenizer

    return ByteTokenizer()


def _pairs_again(statistics: Mapping[str, Any]) -> Tokenizer:
    from core.tokenization import PairTokenizer

    return PairTokenizer.restored(statistics)


@tokenizers.register(vocabulary=_of_bytes, restore=_bytes_again)
def bytes(texts: Iterable[str]) -> Tokenizer:  # noqa: A001  (the part's name)
    """Every byte of UTF-8 is a token: nothing to learn, and nothing is unknown."""
    from core.tokenization import ByteTokenizer

    return ByteTokenizer()


@tokenizers.register(vocabulary=_of_pairs, restore=_pairs_again, extra="text", package="tokenizers")
def bpe(
    texts: Iterable[str],
    *,
    vocab_size: Annotated[int, Field(ge=LEAST, le=65_536)] = 4_096,
    min_frequency: Annotated[int, Field(ge=1, le=1_000_000)] = 2,
) -> Tokenizer:
    """Byte pair encoding: the pairs of bytes that the training part repeats most are merged (needs trainwire[text]).

    Sennrich et al., 2016, over bytes as Radford et al., 2019; `vocab_size` counts bytes, pairs and padding.
    """
    from core.tokenization import PairTokenizer

    return PairTokenizer.learned(texts, vocab_size=vocab_size, min_frequency=min_frequency)
