"""The parts that come with Trainwire: importing this registers them all, and imports neither torch nor sklearn."""

from core.parts import (
    augmentations,
    generated,
    losses,
    metrics,
    models,
    optimizers,
    readers,
    residual,
    schedulers,
    sequences,
    tables,
    tabular,
    tokenizers,
    uploads,
)

__all__ = [
    "augmentations",
    "generated",
    "losses",
    "metrics",
    "models",
    "optimizers",
    "readers",
    "residual",
    "schedulers",
    "sequences",
    "tables",
    "tabular",
    "tokenizers",
    "uploads",
]
