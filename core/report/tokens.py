"""How surprising a held back text is to a model, place by place in the window that it sees."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from core.nets.surprisal import bits_per_byte, perplexity
from core.report.plain import number

MOST_BINS = 64


class Predicted:
    """Sums over pieces of a text whose tokens were predicted."""

    def __init__(self, length: int, widths: Tensor, *, padding: int) -> None:
        self._widths = widths
        self._padding = padding
        self._nats = torch.zeros(length, dtype=torch.float64)
        self._counts = torch.zeros(length, dtype=torch.int64)
        self._bytes = 0

    def see(self, scores: Tensor, target: Tensor) -> None:
        """Take logits `(windows, length, vocabulary)` and the tokens that came, int64 `(windows, length)`."""
        target = target.to(scores.device)
        nats = cross_entropy(scores.flatten(0, 1), target.flatten(), reduction="none").view(target.shape)
        known = target != self._padding
        self._nats += nats.masked_fill(~known, 0).double().sum(0).cpu()
        self._counts += known.sum(0).cpu()
        self._bytes += int(self._widths[target[known].cpu()].sum())

    def section(self) -> dict[str, Any]:
        """The section `tokens` of a report: the mean surprise of a token, in all and by its place in the window."""
        nats, tokens = float(self._nats.sum()), int(self._counts.sum())
        return {
            "tokens": tokens,
            "bytes": self._bytes,
            "loss": number(nats / tokens) if tokens else None,
            "perplexity": number(perplexity(nats, tokens, self._bytes)) if tokens else None,
            "bits_per_byte": number(bits_per_byte(nats, tokens, self._bytes)) if self._bytes else None,
            "by_position": self._by_position(),
        }

    def _by_position(self) -> list[dict[str, Any]]:
        """Means over runs of places, counted from 1: as many runs as 64, of about the same length."""
        length = len(self._nats)
        bins = min(MOST_BINS, length)
        ends = [length * (place + 1) // bins for place in range(bins)]
        told, begin = [], 0
        for end in ends:
            count = int(self._counts[begin:end].sum())
            loss = number(self._nats[begin:end].sum() / count) if count else None
            told.append({"first": begin + 1, "last": end, "tokens": count, "loss": loss})
            begin = end
        return told
