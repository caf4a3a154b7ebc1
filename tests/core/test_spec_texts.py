"""Text in a spec: judged by arithmetic, with every setting that follows from it filled in."""

from __future__ import annotations

from typing import Any

import pytest

from core.dataset import Column, Dataset, Profile
from core.errors import SpecRefused
from core.job import Problem
from core.spec import JobSpec, parse_spec
from core.spec.patching import patched
from core.windows import stretches, window_sizes
from tests.core.uploading import FLOWERS, NOW, found, table

LABEL, WORDS, NOTE = Column("label", "category", 0, 3), Column("words", "text", 2, 90), Column("note", "text", 0, 80)
REVIEWS = table([WORDS, LABEL])
LANGUAGE = ["gpt", "causal_transformer"]


def novel(size: int = 1000) -> Dataset:
    return Dataset("ds_1", "a" * 64, size, "novel.txt", Profile("text", "txt", 20), NOW)


def spec(dataset: Dataset, model: Any = "gpt", /, **fields: Any) -> JobSpec:
    upload = {"name": "upload", "id": "ds_1", **fields.pop("dataset", {})}
    return parse_spec({"dataset": upload, "model": model, **fields}, found(dataset))


def refused(dataset: Dataset, model: Any = "gpt", /, **fields: Any) -> dict[str, Problem]:
    with pytest.raises(SpecRefused) as caught:
        spec(dataset, model, **fields)
    return {problem.pointer: problem for problem in caught.value.problems}


def test_a_plain_text_is_windows_of_bytes_and_each_next_one_is_predicted() -> None:
    chosen = spec(novel(), split={"validation": 0.2, "test": 0.15}, preprocess={"block_size": 100})
    assert chosen.split_sizes == (7, 2, 2)
    shape = chosen.data_shape
    assert (shape.task, shape.samples, shape.features, shape.vocabulary) == ("tokens", 11, (100,), 257)
    assert chosen.model_shape.outputs == 257
    assert (chosen.loss.name, [one.name for one in chosen.metrics]) == ("cross_entropy", ["bits_per_byte"])
    assert (chosen.preprocess.features, chosen.split.stratify) == ("none", False)
    assert chosen.preprocess.text is not None
    assert chosen.preprocess.text.name == "bytes"
    assert parse_spec(chosen.model_dump(mode="json")) == chosen


def test_byte_pairs_make_as_many_windows_as_bytes_do() -> None:
    pairs = {"text": {"name": "bpe", "vocab_size": 500}, "block_size": 100}
    chosen = spec(novel(), split={"validation": 0.2, "test": 0.15}, preprocess=pairs)
    assert chosen.split_sizes == (7, 2, 2)
    assert chosen.model_shape.outputs == 500


def test_a_table_with_one_column_of_text_and_a_target_is_learned_from_its_text() -> None:
    chosen = spec(REVIEWS, "embedding_bag", dataset={"target": "label"})
    assert chosen.data_shape.features == (256,)
    assert (chosen.data_shape.task, chosen.data_shape.vocabulary, chosen.model_shape.outputs) == ("classes", 257, 3)
    assert chosen.dataset.settings()["facts"].columns == {"words": "text?"}
    assert parse_spec(chosen.model_dump(mode="json")) == chosen
    longer = spec(REVIEWS, "embedding_bag", dataset={"target": "label"}, preprocess={"max_length": 300})
    assert longer.data_shape.features == (300,)


def test_of_several_columns_of_text_the_one_that_is_named_is_read() -> None:
    both = table([WORDS, NOTE, LABEL])
    chosen = spec(both, "embedding_bag", dataset={"target": "label", "features": ["note"]})
    assert chosen.dataset.settings()["facts"].columns == {"note": "text"}
    assert "text only one by itself" in refused(both, dataset={"target": "label"})["/dataset/features"].message
    wrong = refused(table([*FLOWERS, WORDS]), dataset={"target": "species", "features": ["words", "petal"]})
    assert "learned from only by itself" in wrong["/dataset/features/0"].message
    assert spec(table([*FLOWERS, WORDS]), "mlp", dataset={"target": "species"}).data_shape.vocabulary is None


def test_words_that_repeat_are_text_where_a_tokenizer_is_asked_for() -> None:
    few = table([Column("words", "category", 2, 40), LABEL])
    wanted: dict[str, Any] = {"dataset": {"target": "label"}}
    assert "preprocess.text" in refused(few, "embedding_bag", **wanted)["/model"].message
    chosen = spec(few, "embedding_bag", preprocess={"text": "bytes"}, **wanted)
    assert chosen.dataset.settings()["facts"].columns == {"words": "text?"}
    assert chosen.data_shape.vocabulary == 257
    assert "reads numbers" in refused(few, "mlp", preprocess={"text": "bytes"}, **wanted)["/model"].message


@pytest.mark.parametrize(
    ("model", "fields", "pointer", "told", "allowed"),
    [
        ("mlp", {}, "/model", "reads numbers; this data is text", LANGUAGE),
        ("embedding_bag", {}, "/model", "a plain text predicts its next token", LANGUAGE),
        ("gpt", {"preprocess": {"max_length": 9}}, "/preprocess/max_length", '"block_size" there', [None]),
        ("gpt", {"preprocess": {"features": "minmax"}}, "/preprocess/features", "no scale", ["none"]),
        ("gpt", {"preprocess": {"block_size": 200}}, "/preprocess/block_size", "200 bytes", {"maximum": 199}),
        ("gpt", {"loss": "mse"}, "/loss", "not for a target of tokens", ["cross_entropy"]),
        ("gpt", {"dataset": {"task": "classes"}}, "/dataset/task", "next token is predicted", ["auto"]),
        ("gpt", {"dataset": {"target": "words"}}, "/dataset/target", "is for tables", [None]),
        ("gpt", {"split": {"stratify": True}}, "/split/stratify", "this target is tokens", [False]),
        ("gpt", {"split": {"folds": 5}}, "/split/folds", "in its own order", [None]),
        ({"name": "gpt", "n_head": 3}, {}, "/model/n_embd", "3 heads", {"multipleOf": 3}),
        (
            "gpt",
            {"preprocess": {"text": "words"}},
            "/preprocess/text",
            "not a known tokenizer",
            ["bytes", "bpe"],
        ),
        (
            "gpt",
            {"preprocess": {"text": {"name": "bpe", "vocab_size": 100}}},
            "/preprocess/text/vocab_size",
            "greater than or equal to 257",
            None,
        ),
    ],
)
def test_what_does_not_fit_text_is_refused_with_the_remedy(
    model: Any, fields: dict[str, Any], pointer: str, told: str, allowed: Any
) -> None:
    problem = refused(novel(), model, **fields)[pointer]
    assert told in problem.message
    assert allowed is None or problem.allowed == allowed


def test_a_model_that_does_not_read_this_data_is_refused_with_those_that_do() -> None:
    own = refused(REVIEWS, dataset={"target": "label"})["/model"]
    assert "each text has its own target" in own.message
    assert own.allowed == ["embedding_bag", "text_transformer"]
    numbers = refused(table(), dataset={"target": "species"})["/model"]
    assert "reads tokens" in numbers.message
    assert numbers.allowed == ["linear", "mlp", "layers", "resmlp", "cnn1d", "rnn", "ft_transformer"]


def test_a_fork_may_change_what_leaves_the_tokens_and_the_weights_as_they_are() -> None:
    told = spec(novel()).model_dump(mode="json")
    assert patched(told, {"model": {"dropout": 0.1}, "epochs": 20}, epoch=1).epochs == 20
    for field, value in {"text": {"name": "bpe"}, "block_size": 64}.items():
        with pytest.raises(SpecRefused) as caught:
            patched(told, {"preprocess": {field: value}}, epoch=1)
        assert [one.pointer for one in caught.value.problems] == [f"/patch/preprocess/{field}"]


@pytest.mark.parametrize("setting", ["text", "max_length", "block_size"])
def test_settings_of_text_are_refused_where_nothing_is_learned_from_text(setting: str) -> None:
    value = "bytes" if setting == "text" else 64
    with pytest.raises(SpecRefused) as caught:
        parse_spec({"dataset": "iris", "model": "linear", "preprocess": {setting: value}})
    assert [problem.pointer for problem in caught.value.problems] == [f"/preprocess/{setting}"]


@pytest.mark.parametrize("size", [300, 301, 4096, 99_999])
@pytest.mark.parametrize("block_size", [1, 7, 128])
def test_the_windows_of_a_part_cover_it_whatever_its_size(size: int, block_size: int) -> None:
    parts = stretches(size, 0.1, test=0.05)
    assert sum(map(len, parts.values())) == size
    for count, part in zip(window_sizes(size, 0.1, test=0.05, block_size=block_size), parts.values(), strict=True):
        assert (count - 1) * block_size < len(part) - 1 <= count * block_size or count == 1
