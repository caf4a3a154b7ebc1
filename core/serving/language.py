"""What a language model says of a text: how well it predicts it, what comes next, and how it goes on."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from core.data import PADDING
from core.loading.text import windows_over
from core.serving.bodies import Given, prompt, refused
from core.serving.served import Served
from core.serving.wish import PredictWish
from core.tokenization import Tokenizer
from core.windows import windows

_NEXT = 5
"""Tokens that may come next, the most probable ones."""


def told(served: Served, given: Given) -> dict[str, Any]:
    """The mean cost of a token (in nats, as in validation), the most probable next ones, and what was generated.

    Raises RowsRefused for anything but a text.
    """
    wish = given.text or (prompt(given.plain) if given.plain is not None else None)
    if wish is None or wish.text is None:
        raise refused("This is a language model: send a `text`.", allowed="text")
    tokenizer = _tokenizer(served)
    ids = tokenizer.encode(wish.text)
    if not len(ids):
        raise refused("The text holds no token.", "/text")
    cost = _cost(served, wish.text)
    shares = _shares(served, ids.tolist())
    best = shares.topk(min(_NEXT, len(shares)))
    return {
        "tokens": len(ids),
        "loss": cost,
        "perplexity": None if cost is None or cost > 700 else math.exp(cost),
        "next": [
            {"text": tokenizer.decode([token]), "probability": share}
            for token, share in zip(best.indices.tolist(), best.values.tolist(), strict=True)
        ],
        "generated": _generated(served, ids.tolist(), wish) if wish.generate else None,
    }


def _tokenizer(served: Served) -> Tokenizer:
    if served.prepare.tokens is None:
        raise ValueError("A language model has a tokenizer.")
    return served.prepare.tokens.tokenizer


def _cost(served: Served, text: str) -> float | None:
    """The mean over all tokens but the first, cut into windows as in validation; None for a single token."""
    ids, length = _tokenizer(served).encode(text), served.spec.data_shape.features[0]
    if len(ids) < 2:
        return None
    over = windows_over(ids, count=windows(len(text.encode()), length), length=length, once=True)
    costs, count = [0.0], 0
    for piece in over.cut(served.spec.rows_at_once):
        known = piece.y != PADDING
        if here := int(known.sum()):
            costs.append(cross_entropy(served.predict(piece.x)[known], piece.y[known]).item() * here)
            count += here
    return math.fsum(costs) / count


def _shares(served: Served, ids: list[int], temperature: float = 1.0) -> Tensor:
    """The probability of each id to come next, `(vocabulary,)`; padding never does."""
    seen = torch.tensor([ids[-served.spec.data_shape.features[0] :]])
    scores = served.predict(seen)[0, -1] / temperature
    scores[PADDING] = -math.inf
    return scores.softmax(0)


def _generated(served: Served, ids: list[int], wish: PredictWish) -> str:
    draws, begun = torch.Generator().manual_seed(wish.seed), len(ids)
    for _ in range(wish.generate):
        if wish.temperature:
            shares = _shares(served, ids, wish.temperature)
            ids = [*ids, int(torch.multinomial(shares, 1, generator=draws))]
        else:
            ids = [*ids, int(_shares(served, ids).argmax())]
    return _tokenizer(served).decode(ids[begun:])
