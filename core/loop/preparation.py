"""What a training process sets before anything else, and the first-use costs that it pays while nobody waits."""

from __future__ import annotations

import encodings.cp437
import os

import torch
import torchmetrics.classification
import torchmetrics.regression
from torch import nn
from torch.utils import deterministic

import core.muon
import core.nets.autoencoder
import core.nets.cnn
import core.nets.cnn1d
import core.nets.columns
import core.nets.embedding_bag
import core.nets.ft_transformer
import core.nets.gpt
import core.nets.linear
import core.nets.mlp
import core.nets.resmlp
import core.nets.resnet
import core.nets.rnn
import core.nets.surprisal
from core.loop.eager import eager

PRELOADED = (encodings.cp437, torchmetrics.classification, torchmetrics.regression, core.nets)
"""What zipfile, the parts and the metrics would else import while a run waits."""


def prepare() -> None:
    """What a fresh training process calls first, while it has no job yet; never a process that forks later.

    Beside the settings it takes one step of a tiny model: torch sets itself up on first use (6 to 18 ms). It draws
    from the global generator, which `train` seeds anew.
    """
    settle()
    model = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 2))
    optimizer = eager(torch.optim.Adam(model.parameters(), fused=True))
    loss = nn.functional.cross_entropy(model(torch.randn(4, 2)), torch.tensor([0, 1, 0, 1]))
    loss.backward()  # type: ignore[no-untyped-call]
    optimizer.step()


def settle(*, threads: int = 1) -> None:
    """Fix what a run's numbers depend on: deterministic algorithms and the number of threads."""
    # cuBLAS reads it when CUDA starts; some builds refuse deterministic mode without it
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    # its other name, use_deterministic_algorithms, loads torch's compiler too: a second
    torch.set_deterministic_debug_mode("error")
    # else every empty tensor is filled with NaN first: 3% of a small step, and we read none before it is written
    deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.allow_tf32 = False
    torch.set_num_threads(threads)
    if torch.get_num_interop_threads() != 1:
        _set_interop_threads()


def _set_interop_threads() -> None:
    try:
        torch.set_num_interop_threads(1)
    except RuntimeError:
        return  # fixed once that pool has run; the loop itself gives it no work
