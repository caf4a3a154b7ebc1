"""Models that stay in memory between requests, the ones asked for longest ago going first."""

from __future__ import annotations

from collections import OrderedDict

from core.serving.asking import Ask
from core.serving.served import Served, load


class Warm:
    """At most so many models, whose weights take at most so many bytes together; the one just asked for always stays.

    A model is known by the SHA-256 of its weights and its card, so another job's file can never answer for it.
    """

    def __init__(self, *, models: int, memory_bytes: int) -> None:
        self._models = models
        self._memory_bytes = memory_bytes
        self._held: OrderedDict[tuple[str, str], Served] = OrderedDict()

    def of(self, ask: Ask) -> Served:
        """The model that is to answer; raises NotFound when its files are gone or others."""
        key = ask.weights, ask.card
        served = self._held.pop(key, None) or load(ask.folder, card=ask.card, weights=ask.weights)
        self._held[key] = served
        while len(self._held) > 1 and not self._fits():
            self._held.popitem(last=False)
        return served

    def __len__(self) -> int:
        return len(self._held)

    def _fits(self) -> bool:
        return len(self._held) <= self._models and sum(one.bytes for one in self._held.values()) <= self._memory_bytes
