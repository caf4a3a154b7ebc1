"""Models that read tokens cost what they say, see nothing that comes later, and nothing in the padding."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

import core.parts  # noqa: F401
from core.data import PADDING, ModelShape
from core.errors import InvalidSpec
from core.registry import losses, metrics, models

TEXT, WINDOW = ModelShape((9,), 3, vocabulary=20), ModelShape((9,), 20, vocabulary=20)
CHOICES: list[tuple[ModelShape, Any]] = [
    (TEXT, "embedding_bag"),
    (TEXT, {"name": "embedding_bag", "embedding_dim": 5, "ngrams": 3, "buckets": 50, "hidden": [7, 4], "dropout": 0.5}),
    (WINDOW, "gpt"),
    (WINDOW, {"name": "gpt", "n_layer": 2, "n_head": 3, "n_embd": 12, "dropout": 0.5}),
]


def _build(shape: ModelShape, choice: Any) -> nn.Module:
    model = models.build(models.choose(choice), shape)
    assert isinstance(model, nn.Module)
    return model.eval()


def _tokens(rows: int = 4) -> torch.Tensor:
    return torch.randint(1, 20, (rows, 9), generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(("shape", "choice"), CHOICES)
def test_a_reader_has_as_many_parameters_as_its_cost_says_and_keeps_no_more_numbers(
    shape: ModelShape, choice: Any
) -> None:
    chosen, kept = models.choose(choice), 0
    cost = models.get(chosen.name).facts["cost"](shape, **chosen.settings())
    model = _build(shape, choice)
    assert cost.parameters == sum(weight.numel() for weight in model.parameters())

    def count(_module: nn.Module, _inputs: Any, output: torch.Tensor) -> None:
        nonlocal kept
        kept += output[0].numel()

    for module in model.modules():
        if not any(True for _ in module.children()):
            module.register_forward_hook(count)
    model(_tokens(1))
    assert cost.activations >= kept


def test_a_gpt_scores_every_next_token_and_sees_none_of_those_to_come() -> None:
    model, tokens = _build(*CHOICES[3]), _tokens()
    changed = tokens.clone()
    changed[:, 5:] = 1
    before, after = model(tokens), model(changed)
    assert before.shape == (4, 9, 20)
    assert torch.allclose(before[:, :5], after[:, :5], atol=1e-6)
    assert not torch.allclose(before[:, 5], after[:, 5])
    assert model(tokens[:, :3]).shape == (4, 3, 20)


@pytest.mark.parametrize("choice", [CHOICES[0][1], CHOICES[1][1]])
def test_a_bag_sees_nothing_in_the_padding(choice: Any) -> None:
    short, tokens = _build(ModelShape((6,), 3, vocabulary=20), choice), _tokens()[:, :6]
    long = _build(TEXT, choice)
    long.load_state_dict(short.state_dict())
    padded = torch.cat([tokens, torch.full((4, 3), PADDING)], 1)
    assert torch.allclose(short(tokens), long(padded), atol=1e-6)
    assert torch.isfinite(long(torch.zeros(1, 9, dtype=torch.int64))).all()


def test_runs_of_tokens_tell_their_order() -> None:
    tokens, turned = _tokens(1), _tokens(1).flip(1)
    plain, runs = (_build(TEXT, {"name": "embedding_bag", "ngrams": ngrams}) for ngrams in (1, 2))
    assert torch.allclose(plain(tokens), plain(turned), atol=1e-6)
    assert not torch.allclose(runs(tokens), runs(turned))


def test_the_cost_of_tokens_is_the_mean_over_those_that_are_no_padding() -> None:
    loss = losses.build(losses.choose("cross_entropy"))
    scores, target = torch.randn(2, 3, 20), torch.tensor([[4, 5, PADDING], [PADDING, 6, PADDING]])
    expected = nn.functional.cross_entropy(scores[[0, 0, 1], [0, 1, 1]], torch.tensor([4, 5, 6]))
    assert torch.isclose(loss(scores, target), expected)
    with pytest.raises(InvalidSpec):
        loss(scores, target[:, :2])


def test_an_even_guess_has_its_own_perplexity_and_bits() -> None:
    scores, target, widths = torch.zeros(6, 256), torch.arange(6), torch.tensor([1, 2, 1, 2, 1, 1])
    figures = {}
    for name in ("perplexity", "bits_per_byte"):
        metric = metrics.build(metrics.choose(name), 256)
        for part in (slice(0, 2), slice(2, 6)):
            metric.update(scores[part], target[part], widths[part])
        figures[name] = float(metric.compute())
    assert figures == {"perplexity": pytest.approx(256), "bits_per_byte": pytest.approx(8 * 6 / 8)}
    accuracy = metrics.build(metrics.choose("accuracy"), 256)
    accuracy.update(scores, target)
    assert float(accuracy.compute()) == pytest.approx(1 / 6)
