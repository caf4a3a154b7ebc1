"""Why a run of several processes does not give the figures of one process, where it does not."""

from __future__ import annotations

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.dropout import _DropoutNd

from core.loop.run import Run


def coupling(run: Run) -> str | None:
    """One sentence where the model has batch norm or dropout; None of any other, and of one process."""
    if run.peers.size == 1:
        return None
    draws = any(map(_draws, run.model.modules())) or bool(run.spec.model.settings().get("dropout"))
    couples = any(isinstance(layer, _BatchNorm) for layer in run.model.modules())
    whys = [
        *(["each draws its own dropout"] if draws else []),
        *(["batch norm takes its means over the samples of each"] if couples else []),
    ]
    if not whys:
        return None
    return f"The run trains in {run.peers.size} processes: {' and '.join(whys)}, so its figures are not those of one."


def _draws(layer: nn.Module) -> bool:
    share = layer.p if isinstance(layer, _DropoutNd) else getattr(layer, "dropout", 0.0)
    return isinstance(share, float) and share > 0
