"""Every text becomes tokens and comes back from them, and the tokenizer is the same each time that it is learned."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

import pytest

import core.parts  # noqa: F401
from core import tokenization
from core.data import PADDING
from core.errors import InvalidSpec
from core.registry import tokenizers
from core.tokenization import PairTokenizer, Tokenizer

SEEN = ("the cat sat on the mat\n" * 30, "the dog and the cat\r\n\n  then sat again " * 20)
TEXTS = ("the cat", "naïve café", "日本語 😀", " \t\n", "[PAD] <pad> <|endoftext|>", "\x00\x7f", "")
PAIRS = {"name": "bpe", "vocab_size": 300}


def learned(choice: object, texts: Sequence[str] = SEEN) -> Tokenizer:
    made: Tokenizer = tokenizers.build(tokenizers.choose(choice), texts)
    return made


@pytest.mark.parametrize("choice", ["bytes", PAIRS])
@pytest.mark.parametrize("text", TEXTS)
def test_any_text_comes_back_from_its_tokens(choice: object, text: str) -> None:
    tokenizer = learned(choice)
    ids = tokenizer.encode(text)
    assert tokenizer.decode([PADDING, *ids.tolist(), PADDING]) == text
    assert PADDING not in ids
    assert tokenizer.widths[ids].sum() == len(text.encode())
    assert (ids < len(tokenizer.widths)).all()


def test_pairs_that_repeat_become_one_token() -> None:
    assert len(learned(PAIRS).encode("the cat sat")) == 3
    assert len(learned("bytes").encode("the cat sat")) == 11
    assert len(learned({**PAIRS, "vocab_size": 270}).widths) == 270, "padding among them"


def test_a_tokenizer_is_the_same_every_time_it_is_learned_and_after_it_was_stored() -> None:
    one, other = learned(PAIRS), learned(PAIRS)
    assert one.statistics() == other.statistics()
    again = tokenizers.get("bpe").facts["restore"](json.loads(json.dumps(one.statistics())))
    assert isinstance(again, PairTokenizer)
    for text in (*SEEN, *TEXTS):
        assert again.encode(text).tolist() == one.encode(text).tolist()


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_long_text_is_taken_in_pieces_that_end_with_a_line(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(tokenization, "_PIECE", size)
    found = list(tokenization.pieces(SEEN[0]))
    assert "".join(found) == SEEN[0]
    assert max(map(len, found)) <= size
    assert size < 1000 or found[0].endswith("\n")


def test_without_its_library_byte_pairs_say_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    with pytest.raises(InvalidSpec) as refused:
        learned(PAIRS)
    assert "trainwire[text]" in str(refused.value.hint)
    assert refused.value.param == "/preprocess/text"
