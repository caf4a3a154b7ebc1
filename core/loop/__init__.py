"""The training loop: a generator from a spec to its events, with nothing behind it but tensors and one folder."""

import core.loop.lean  # noqa: F401  (before whatever imports torchmetrics)
from core.loop.cadence import Saving
from core.loop.preparation import prepare
from core.loop.probe import probe
from core.loop.training import train
from core.loop.weights import load_model, load_preprocess

__all__ = ["Saving", "load_model", "load_preprocess", "prepare", "probe", "train"]
