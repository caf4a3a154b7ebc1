"""Text as tokens: its bytes, or the byte pairs that a text was seen to repeat; 0 is padding, which no text becomes."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from core.data import PADDING
from core.errors import InvalidSpec

if TYPE_CHECKING:
    from tokenizers import Tokenizer as Bpe

Ids = NDArray[np.int64]

_PIECE = 1 << 20
"""Characters that are encoded at a time: what the library keeps of each token takes a hundred bytes and more."""


class Tokenizer(Protocol):
    """From words to ids and back; every text has ids, and these give the same text."""

    @property
    def widths(self) -> Ids:
        """How many bytes each id stands for; 0 for padding."""

    def encode(self, text: str) -> Ids:
        """The ids of the text's tokens: int64 `(tokens,)`."""

    def decode(self, ids: Sequence[int]) -> str:
        """The text of these ids, padding left out; a character that is cut is shown as U+FFFD."""

    def statistics(self) -> dict[str, Any]:
        """What `model.json` keeps."""


class ByteTokenizer:
    """Each byte of UTF-8 is a token: its value and one more."""

    widths: Ids = np.array([0] + [1] * 256)

    def encode(self, text: str) -> Ids:
        """As many ids as the text has bytes."""
        return np.frombuffer(text.encode(), np.uint8).astype(np.int64) + 1

    def decode(self, ids: Sequence[int]) -> str:
        """The text of these bytes."""
        return bytes(token - 1 for token in ids if token != PADDING).decode(errors="replace")

    def statistics(self) -> dict[str, Any]:
        """Nothing was learned."""
        return {}


class PairTokenizer:
    """Byte pairs merged by frequency, as the library `tokenizers` does it; its ids and one more."""

    def __init__(self, bpe: Bpe) -> None:
        self._bpe = bpe
        # in the byte-level alphabet every byte is written as one character
        spelled = sorted(bpe.get_vocab().items(), key=lambda item: item[1])
        self.widths: Ids = np.array([0, *(len(token) for token, _ in spelled)])

    @classmethod
    def learned(cls, texts: Iterable[str], *, vocab_size: int, min_frequency: int) -> PairTokenizer:
        """The tokenizer of at most `vocab_size` ids, padding among them, that these texts give."""
        library = _library()
        bpe = library.Tokenizer(library.models.BPE())
        bpe.pre_tokenizer = library.pre_tokenizers.ByteLevel(add_prefix_space=False)
        bpe.decoder = library.decoders.ByteLevel()
        trainer = library.trainers.BpeTrainer(
            vocab_size=vocab_size - 1,
            min_frequency=min_frequency,
            initial_alphabet=sorted(library.pre_tokenizers.ByteLevel.alphabet()),
            show_progress=False,
        )
        bpe.train_from_iterator((piece for text in texts for piece in pieces(text)), trainer)
        return cls(bpe)

    @classmethod
    def restored(cls, statistics: Mapping[str, Any]) -> PairTokenizer:
        """The tokenizer with these statistics."""
        return cls(_library().Tokenizer.from_str(json.dumps(statistics)))

    def encode(self, text: str) -> Ids:
        """The ids of the text, which is taken a megabyte at a time."""
        ids = [np.array(self._bpe.encode(piece).ids, np.int64) for piece in pieces(text)]
        return np.concatenate(ids) + 1 if ids else np.empty(0, np.int64)

    def decode(self, ids: Sequence[int]) -> str:
        """The text of these tokens."""
        text: str = self._bpe.decode([token - 1 for token in ids if token != PADDING])
        return text

    def statistics(self) -> dict[str, Any]:
        """The library's own JSON (`tokenizer.json`)."""
        told: dict[str, Any] = json.loads(self._bpe.to_str())
        return told


def pieces(text: str) -> Iterator[str]:
    """The text in pieces of a megabyte, cut behind a line where one ends in there."""
    start = 0
    while start < len(text):
        end = start + _PIECE
        line = text.rfind("\n", start, end) if end < len(text) else -1
        end = line + 1 if line >= start else end
        yield text[start:end]
        start = end


def _library() -> Any:
    # its threads would not survive the fork of a loader, and give the same tokens
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    try:
        import tokenizers
    except ImportError:
        told = "Byte pairs need the library tokenizers, which this worker does not have."
        hint = 'Install it with pip install "trainwire[text]", or choose preprocess.text "bytes".'
        raise InvalidSpec(told, hint=hint, param="/preprocess/text") from None
    return tokenizers
