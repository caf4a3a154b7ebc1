"""Text in training: its windows, a tokenizer from the training part alone, what is learned, and the same bits again."""

from __future__ import annotations

import json
import math
import random
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from pydoc_data.topics import topics
from typing import Any

import numpy as np
import pytest
import torch

from core.data import PADDING
from core.errors import InvalidData
from core.events import EpochDone, Finished
from core.loading import data
from core.loading.text import Windows
from core.loop import load_model, load_preprocess, train
from core.spec import JobSpec
from tests.core.loop.interrupting import Bench, pieced
from tests.core.uploading import Shelf

DOCUMENTATION = "\n".join(topics[name] for name in sorted(topics)).encode()
TINY = {"name": "gpt", "n_layer": 1, "n_head": 2, "n_embd": 8, "dropout": 0.2}
PAIRS = {"name": "bpe", "vocab_size": 300}


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    folder = tmp_path / "uploads"
    folder.mkdir()
    return Shelf(folder)


def novel(shelf: Shelf, text: bytes, *, model: Any = "gpt", **fields: Any) -> JobSpec:
    return shelf.spec(shelf.put("a.txt", text), {}, model=model, **fields)


def reviews(shelf: Shelf, rows: int = 400, **fields: Any) -> JobSpec:
    """Sentences whose mood one word tells."""
    draw = random.Random(0)
    moods = {"good": ("splendid", "lovely", "excellent", "delightful"), "bad": ("awful", "dreadful", "boring", "dire")}

    def row() -> dict[str, str]:
        mood = draw.choice(list(moods))
        thing, when = draw.choice(("film", "meal", "book", "walk")), f"{draw.randrange(24)}:{draw.randrange(60):02}"
        return {
            "text": f"the {thing} in room {draw.randrange(99)} was {draw.choice(moods[mood])} at {when}",
            "mood": mood,
        }

    lines = "\n".join(json.dumps(row()) for _ in range(rows))
    return shelf.spec(
        shelf.put("reviews.jsonl", lines.encode()),
        {"target": "mood"},
        **{"model": "embedding_bag", "lr": 0.01, **fields},
    )


def made(spec: JobSpec, shelf: Shelf) -> data.Data:
    return data.make(spec, cache=None, datasets=shelf.folder)


def trained(spec: JobSpec, shelf: Shelf, folder: Path) -> tuple[list[Mapping[str, float]], Finished]:
    events = list(train(spec, folder=folder, datasets=shelf.folder))
    end = events[-1]
    assert isinstance(end, Finished)
    return [event.row.figures() for event in events if isinstance(event, EpochDone)], end


def whole(windows: Any) -> Windows:
    assert isinstance(windows, Windows)
    return windows


@pytest.mark.parametrize("text", ["bytes", PAIRS])
@pytest.mark.parametrize("size", [1000, 1009])
def test_a_target_is_its_window_one_token_further_and_each_token_held_back_is_judged_once(
    shelf: Shelf, text: Any, size: int
) -> None:
    spec = novel(shelf, DOCUMENTATION[:size], preprocess={"text": text, "block_size": 31}, split={"test": 0.1})
    made_ = made(spec, shelf)
    for part, count in zip((made_.train, made_.held, made_.test), spec.split_sizes, strict=True):
        windows = whole(part)
        x, y = windows.x, windows.y
        assert x.shape == y.shape == (count, 31)
        assert (x.dtype, y.dtype) == (torch.int64, torch.int64)
        counted = y != PADDING
        assert torch.equal(x[:, 1:][counted[:, :-1]], y[:, :-1][counted[:, :-1]])
        if part is made_.train:
            assert counted.all()
        else:
            assert torch.equal(y[counted], windows.tokens[1:].long())
        rows = torch.randperm(count)
        assert torch.equal(windows.take(rows).y, y[rows])
        assert torch.equal(torch.cat([piece.x for piece in windows.cut(4)]), x)


def test_the_parts_follow_each_other_as_they_do_in_the_text_and_share_no_character(shelf: Shelf) -> None:
    text = "".join(map(chr, range(1000, 1500)))  # of two bytes each
    spec = novel(shelf, text.encode(), preprocess={"block_size": 20}, split={"validation": 0.2501, "test": 0.15})
    made_ = made(spec, shelf)
    tokens = made_.columns.tokens
    assert tokens is not None
    parts = [tokens.tokenizer.decode(whole(one).tokens.tolist()) for one in (made_.train, made_.held, made_.test)]
    assert parts == [text[:299], text[300:425], text[425:]], "the 300th is cut"


def test_byte_pairs_are_learned_from_the_training_part_alone(shelf: Shelf) -> None:
    text = b"one two three four five\n" * 100 + b"zyzzyva\n" * 100
    spec = novel(shelf, text, preprocess={"text": PAIRS, "block_size": 16}, split={"validation": 0.25})
    tokens = made(spec, shelf).columns.tokens
    assert tokens is not None
    assert len(tokens.tokenizer.encode("one two three")) == 3
    assert len(tokens.tokenizer.encode("zyzzyva")) == 7


def test_a_part_that_is_a_single_token_cannot_be_judged(shelf: Shelf) -> None:
    text = b"over and over\n" * 60 + b"over"
    spec = novel(shelf, text, preprocess={"text": PAIRS, "block_size": 3}, split={"validation": 4 / len(text)})
    with pytest.raises(InvalidData, match="The validation part is a single token"):
        made(spec, shelf)


def test_a_byte_language_model_learns_what_follows_what(shelf: Shelf, tmp_path: Path) -> None:
    text = DOCUMENTATION[:60_000]
    counts = np.array(list(Counter(text[-6_000:]).values())) / 6_000
    alone = -(counts * np.log2(counts)).sum()
    model = {"name": "gpt", "n_layer": 1, "n_head": 2, "n_embd": 64}
    fields = {
        "preprocess": {"block_size": 32},
        "split": {"validation": 0.1},
        "lr": 0.003,
        "batch_size": 16,
        "epochs": 2,
    }
    rows, _ = trained(novel(shelf, text, model=model, **fields), shelf, tmp_path)
    assert rows[-1]["val_bits_per_byte"] < 0.85 * alone, "each byte by itself, known from the text that is judged"
    assert rows[-1]["val_bits_per_byte"] == pytest.approx(rows[-1]["val_loss"] / math.log(2))


@pytest.mark.parametrize("text", ["bytes", {"name": "bpe", "vocab_size": 320}])
def test_the_mood_of_a_sentence_is_told_from_its_text(shelf: Shelf, tmp_path: Path, text: Any) -> None:
    spec = reviews(shelf, preprocess={"text": text, "max_length": 64}, epochs=12)
    rows, _ = trained(spec, shelf, tmp_path)
    assert rows[-1]["val_accuracy"] >= 0.95
    model, prepare = load_model(tmp_path), load_preprocess(tmp_path)
    x = prepare([{"text": " the walk was lovely at 3:00 ", "more": 1}, {"text": "the book was dire at 3:00"}])
    assert x.shape == (2, 64)
    assert torch.equal(x[0], prepare(["the walk was lovely at 3:00"])[0])
    assert [prepare.classes[int(score > 0)] for score in model(x)] == ["good", "bad"]
    assert torch.isfinite(model(prepare([None, ""]))).all()
    with pytest.raises(TypeError, match="trained on text, not on int"):
        prepare([3])  # type: ignore[list-item]


def test_a_language_model_comes_home_with_its_tokenizer_as_json(shelf: Shelf, tmp_path: Path) -> None:
    fields = {"preprocess": {"text": PAIRS, "block_size": 16}, "epochs": 1}
    metrics = ["perplexity", "bits_per_byte", "accuracy"]
    spec = novel(shelf, DOCUMENTATION[:3000], model=TINY, metrics=metrics, split={"test": 0.1}, **fields)
    (row,), end = trained(spec, shelf, tmp_path)
    assert row["val_perplexity"] == pytest.approx(math.exp(row["val_loss"]), rel=1e-5)
    assert 0 <= row["val_accuracy"] <= 1
    assert end.test is not None
    assert end.test.keys() == {"loss", *metrics}
    made_ = made(spec, shelf)
    model, prepare = load_model(tmp_path), load_preprocess(tmp_path)
    assert prepare.tokens is not None
    assert made_.columns.tokens is not None
    assert prepare.tokens.statistics() == made_.columns.tokens.statistics()
    assert model(prepare(["The for statement"])).shape == (1, 16, 300)
    kept = {file.name for file in tmp_path.iterdir() if file.is_file()}
    assert kept == {"model.safetensors", "model.json", "report.json"}


@pytest.mark.parametrize("text", ["bytes", PAIRS])
def test_a_language_model_goes_on_exactly(bench: Bench, shelf: Shelf, text: Any) -> None:
    fields: dict[str, Any] = {"preprocess": {"text": text, "block_size": 16}, "split": {"test": 0.1}}
    resumes(bench, shelf, novel(shelf, DOCUMENTATION[:700], model=TINY, batch_size=8, epochs=2, **fields))


def test_a_reader_of_sentences_goes_on_exactly(bench: Bench, shelf: Shelf) -> None:
    model = {"name": "embedding_bag", "embedding_dim": 4, "ngrams": 2, "buckets": 20, "dropout": 0.2}
    fields: dict[str, Any] = {"preprocess": {"text": PAIRS, "max_length": 20}, "batch_size": 8, "epochs": 3}
    resumes(bench, shelf, reviews(shelf, 80, model=model, **fields))


def resumes(bench: Bench, shelf: Shelf, spec: JobSpec) -> None:
    fields = spec.model_dump(mode="json")
    every = {**fields, "checkpoints": {**fields["checkpoints"], "every_s": 0}}
    whole_run = bench.attempt(every, datasets=shelf.folder)
    for kept in whole_run.checkpoints:
        again = bench.attempt(fields, kept, datasets=shelf.folder)
        assert again.resumed
        assert again.resumed.inexact is None
        assert pieced(whole_run, kept, again) == whole_run.bits, f"differs from {kept.epoch}, {kept.step}"


@pytest.mark.filterwarnings("ignore:This DataLoader will create")
def test_loader_processes_cut_the_same_windows(shelf: Shelf, tmp_path: Path) -> None:
    fields: dict[str, Any] = {"preprocess": {"block_size": 16}, "epochs": 1}
    figures = [
        trained(
            novel(shelf, DOCUMENTATION[:2000], model=TINY, loader={"num_workers": workers}, **fields), shelf, tmp_path
        )
        for workers in (0, 1)
    ]
    told = [[{name: row[name] for name in ("train_loss", "val_loss")} for row in rows] for rows, _ in figures]
    assert told[0] == told[1]


def test_how_sharp_the_minimum_of_a_language_model_is_counts_the_tokens_that_are_known(
    shelf: Shelf, tmp_path: Path
) -> None:
    spec = novel(shelf, DOCUMENTATION[:20_000], model=TINY, epochs=1, sharpness={"samples": None, "directions": 3})
    *told, end = train(spec, folder=tmp_path, datasets=shelf.folder)
    [row] = [one for one in told if isinstance(one, EpochDone)]
    assert isinstance(end, Finished)
    assert end.sharpness is not None
    assert 0 < end.sharpness["cost"] < row.row.train_loss
    assert 0 != end.sharpness["mean"] <= end.sharpness["max"]
