"""The augmentations of a run: what happens to a training batch between its gathering and its step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from core.augment.draws import Draws
from core.loading.batches import as_it_is
from core.loading.data import Data
from core.loading.preprocess import Scaling
from core.loading.samples import Samples
from core.registry import PartSettings, augmentations
from core.spec import JobSpec

Change = Callable[[Tensor, Tensor, Draws], tuple[Tensor, Tensor]]

_PICTURES = (0.0, 1.0)
"""Black and white in an upload's pictures, before these are scaled."""


@dataclass(frozen=True)
class Unit:
    """The way from the model's numbers back to the data's own unit, and there again; on the batch's device."""

    shift: Tensor
    scale: Tensor
    width: Tensor

    @classmethod
    def of(cls, scaling: Scaling, features: tuple[int, ...], device: torch.device) -> Unit | None:
        """That of a scaling; None when it leaves everything as it is. What was constant in training stays so."""
        if scaling.kind == "none":
            return None
        width = np.divide(1.0, scaling.scale, out=np.zeros_like(scaling.scale), where=scaling.scale != 0)
        shape = {1: (1,), features[0]: (-1, *(1 for _ in features[1:]))}.get(len(scaling.shift), features)
        parts = (torch.tensor(one, dtype=torch.float32) for one in (scaling.shift, scaling.scale, width))
        return cls(*(part.reshape(shape).to(device) for part in parts))

    def pixels(self, x: Tensor) -> Tensor:
        """The model's numbers in the data's own unit."""
        return torch.addcmul(self.shift, x, self.width)

    def scaled(self, x: Tensor) -> Tensor:
        """The data's numbers as the model gets them."""
        return (x - self.shift) * self.scale


@dataclass(frozen=True)
class Augment:
    """All of a spec's augmentations, in order; a pure function of the batch and of where in the run it stands."""

    seed: int
    changes: tuple[tuple[str, Change], ...]
    """Each with the unit that it works in."""
    unit: Unit | None
    soften: Callable[[Tensor], Tensor]
    itself: bool = False
    """Whether the target is the sample, which then changes its unit with it."""
    mixes: bool = False
    """Whether samples of a batch are mixed with each other."""

    def __call__(self, batch: Samples, rows: Tensor, *, epoch: int, step: int) -> Samples:
        """The batch of these `rows` (int64 `(batch,)`, numbers in the training part), the `step`-th of `epoch`.

        Targets that augmentations mix come as shares of the classes, float32; the global generators stay untouched.
        """
        rows = rows.to(batch.x.device, non_blocking=True)
        x, y, at = batch.x, self.soften(batch.y), "model"
        for place, (unit, change) in enumerate(self.changes):
            x, y, at = *self._both_in(unit, x, y, at=at), unit
            x, y = change(x, y, Draws.of(rows, seed=self.seed, epoch=epoch, step=step, place=place))
        return Samples(*self._both_in("model", x, y, at=at))

    def _both_in(self, wanted: str, x: Tensor, y: Tensor, *, at: str) -> tuple[Tensor, Tensor]:
        seen = self._in(wanted, x, at)
        if not self.itself:
            return seen, y
        return seen, seen if x is y else self._in(wanted, y, at)

    def _in(self, wanted: str, x: Tensor, at: str) -> Tensor:
        if self.unit is None or wanted == at:
            return x
        return self.unit.pixels(x) if wanted == "pixels" else self.unit.scaled(x)


def make(spec: JobSpec, data: Data, device: torch.device) -> Augment | None:
    """What `spec` asks for; None when it asks for nothing. Pixels' range is looked at only where a part needs it."""
    if not spec.augment:
        return None
    parts = [augmentations.get(chosen.name) for chosen in spec.augment]
    pixels = _range(spec, data) if any(part.facts.get("range") for part in parts) else _PICTURES
    changes = [_change(spec, chosen, pixels) for chosen in spec.augment]
    mixes = any(part.facts.get("mixes") for part in parts)
    return Augment(
        spec.seed,
        tuple(zip((part.facts["unit"] for part in parts), changes, strict=True)),
        Unit.of(data.columns.features, spec.data_shape.features, device),
        _softening(spec) if mixes else as_it_is,
        spec.data_shape.reconstructs,
        mixes,
    )


def _change(spec: JobSpec, chosen: PartSettings, pixels: tuple[float, float]) -> Change:
    """One augmentation; what leaves a whole sample behind leaves that to be reconstructed, what spoils one does not."""
    change: Change = augmentations.build(chosen, pixels)
    facts = augmentations.get(chosen.name).facts
    if not spec.data_shape.reconstructs or facts.get("spoils") or facts.get("mixes"):
        return change

    def both(x: Tensor, y: Tensor, draws: Draws) -> tuple[Tensor, Tensor]:
        # once is enough while nothing is spoiled yet
        seen = change(x, x, draws)[0]
        return seen, seen if x is y else change(y, y, draws)[0]

    return both


def _range(spec: JobSpec, data: Data) -> tuple[float, float]:
    facts = getattr(spec.dataset, "facts", None)
    if facts is not None and facts.form == "images":
        return _PICTURES
    unit = Unit.of(data.columns.features, spec.data_shape.features, torch.device("cpu"))
    parts = (part.x.cpu() for part in data.train.cut(1024))
    ends = [(float(x.min()), float(x.max())) for x in map(unit.pixels if unit else as_it_is, parts)]
    return min(low for low, _ in ends), max(high for _, high in ends)


def _softening(spec: JobSpec) -> Callable[[Tensor], Tensor]:
    """Classes as shares: of the second one where the loss takes one logit, else of each; numbers are so already."""
    classes, outputs = spec.data_shape.classes, spec.model_shape.outputs
    if classes is None:
        return as_it_is
    if outputs == 1:
        return lambda y: y.float()
    return lambda y: (y[:, None] == torch.arange(outputs, device=y.device)).float() if y.ndim == 1 else y
