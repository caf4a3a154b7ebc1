"""The catalogue shows every part with its sentence, its settings and its facts."""

from __future__ import annotations

import json

import pytest

from core.catalog import SECTIONS, catalog

KNOWN = {
    "datasets": "digits iris wine breast_cancer diabetes moons circles spirals blobs linear random",
    "models": "linear mlp cnn layers embedding_bag gpt resnet resmlp cnn1d rnn ft_transformer",
    "layers": "linear conv1d conv2d max_pool2d batch_norm dropout flatten relu residual parallel",
    "losses": "mse mae huber cross_entropy bce",
    "optimizers": "sgd rmsprop adam adamw adagrad adadelta nadam radam lbfgs adamax asgd rprop adafactor muon",
    "schedulers": "constant step multistep exponential cosine one_cycle plateau",
    "tokenizers": "bytes bpe",
    "metrics": "accuracy f1 auroc mae rmse r2 perplexity bits_per_byte",
}


def test_the_catalogue_is_json() -> None:
    assert json.loads(json.dumps(catalog(), allow_nan=False)) == catalog()


@pytest.mark.parametrize("section", KNOWN)
def test_every_kind_lists_its_parts(section: str) -> None:
    assert {entry["name"] for entry in catalog()[section]} >= set(KNOWN[section].split())


def test_every_dataset_tells_what_it_holds() -> None:
    datasets = {entry["name"]: entry for entry in catalog()["datasets"]}
    told = {key: datasets["digits"][key] for key in ("task", "samples", "features", "classes", "outputs")}
    assert told == {"task": "classes", "samples": 1797, "features": [1, 8, 8], "classes": 10, "outputs": 1}
    assert datasets["linear"]["task"] == "numbers"
    assert datasets["moons"]["samples"] == 1000


@pytest.mark.parametrize("section", list(SECTIONS))
def test_every_part_has_a_sentence_and_a_schema_with_bounds(section: str) -> None:
    for entry in catalog()[section]:
        assert entry["summary"].endswith("."), entry["name"]
        schema = entry["schema"]
        assert schema["additionalProperties"] is False
        assert schema["properties"]["name"]["const"] == entry["name"]
        for setting in schema["properties"].values():
            if setting.get("type") in {"integer", "number"} and "enum" not in setting:
                assert {"minimum", "exclusiveMinimum"} & setting.keys(), setting
                assert {"maximum", "exclusiveMaximum"} & setting.keys(), setting


def test_facts_that_a_form_can_use_are_shown() -> None:
    optimizers = {entry["name"]: entry for entry in catalog()["optimizers"]}
    assert optimizers["adadelta"]["lr"] == 1.0
    assert optimizers["lbfgs"]["full_batch"] is True
    metrics = {entry["name"]: entry for entry in catalog()["metrics"]}
    assert (metrics["mae"]["mode"], metrics["f1"]["tasks"]) == ("min", ["binary", "classes", "labels"])
