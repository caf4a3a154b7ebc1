"""Models of numbers in an order: a window of a series, or a row whose features follow one another.

The fact `dims` says how many axes a sample may have: 1 for a row, 2 for the channels of a series.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from core.checks import Finding
from core.data import Cost, ModelShape
from core.parts.limits import Dropout, MaybeWidths
from core.registry import models

if TYPE_CHECKING:
    from torch import nn

Channels = Annotated[
    tuple[Annotated[int, Field(ge=1, le=4_096)], ...], Field(strict=False, min_length=1, max_length=64)
]
Cell = Literal["gru", "lstm"]

_GATES = {"gru": 3, "lstm": 4}
_KEPT = {"gru": 10, "lstm": 20}
"""Numbers kept for each state of a step, its dropout included: the most that torch 2.13 was seen to keep on a CPU."""


def _dense(widths: list[int]) -> Cost:
    """Fully connected layers with what follows each: a weight for each pair of neighbours, a bias for each output."""
    return Cost(sum((before + 1) * after for before, after in pairwise(widths)), 3 * sum(widths))


def _cnn1d_cost(
    shape: ModelShape,
    *,
    channels: tuple[int, ...],
    kernel_size: int,
    stride: int,
    hidden: tuple[int, ...],
    batch_norm: bool,
    **_: Any,
) -> Cost:
    before, length = (1, *shape.features)[-2:]
    parameters = kept = 0
    for after in channels:
        length = -(-length // stride)
        parameters += (before * kernel_size + 1 + 2 * batch_norm) * after
        kept += (2 + batch_norm) * after * length
        before = after
    dense = _dense([before * length, *hidden, shape.outputs])
    return Cost(parameters + dense.parameters, kept + dense.activations)


def _kernel_is_odd(*, kernel_size: int, **_: Any) -> Iterator[Finding]:
    if kernel_size % 2 == 0:
        told = f"A kernel of {kernel_size} has no middle, so it cannot keep a series' length; take an odd one."
        yield Finding(("kernel_size",), kernel_size, told, "odd numbers from 1 to 127")


def _smallest_batch(*, batch_norm: bool, **_: Any) -> int:
    return 2 if batch_norm else 1


def _couples(*, batch_norm: bool, **_: Any) -> bool:
    return batch_norm


def _rnn_cost(
    shape: ModelShape,
    *,
    cell: Cell,
    hidden_size: int,
    num_layers: int,
    bidirectional: bool,
    hidden: tuple[int, ...],
    **_: Any,
) -> Cost:
    inputs, length = (1, *shape.features)[-2:]
    gates, directions = _GATES[cell], 1 + bidirectional
    parameters = 0
    for width in [inputs, *[directions * hidden_size] * (num_layers - 1)]:
        parameters += directions * gates * hidden_size * (width + hidden_size + 2)
    kept = num_layers * directions * length * hidden_size * _KEPT[cell]
    dense = _dense([directions * hidden_size, *hidden, shape.outputs])
    return Cost(parameters + dense.parameters, kept + dense.activations)


@models.register(
    cost=_cnn1d_cost,
    dims=(1, 2),
    check=_kernel_is_odd,
    smallest_batch=_smallest_batch,
    batch_coupled=_couples,
    patchable=("dropout",),
)
def cnn1d(
    shape: ModelShape,
    *,
    channels: Channels = (32, 64, 64),
    kernel_size: Annotated[int, Field(ge=1, le=127)] = 5,
    stride: Annotated[int, Field(ge=1, le=16)] = 2,
    hidden: MaybeWidths = (),
    dropout: Dropout = 0.0,
    batch_norm: bool = True,
) -> nn.Module:
    """A convolutional network for series: layers of convolution and ReLU along time, then fully connected ones.

    Time delay networks (Waibel et al., 1989), with strides and batch norm (Ioffe & Szegedy, 2015). A row of features is
    read as a series of one channel.
    """
    from core.nets.cnn1d import Cnn1d

    return Cnn1d(
        shape,
        channels=channels,
        kernel_size=kernel_size,
        stride=stride,
        hidden=hidden,
        dropout=dropout,
        batch_norm=batch_norm,
    )


@models.register(cost=_rnn_cost, dims=(1, 2), patchable=("dropout",), in_one_piece=lambda **_: True)
def rnn(
    shape: ModelShape,
    *,
    cell: Cell = "gru",
    hidden_size: Annotated[int, Field(ge=1, le=4_096)] = 64,
    num_layers: Annotated[int, Field(ge=1, le=16)] = 1,
    bidirectional: bool = False,
    hidden: MaybeWidths = (),
    dropout: Dropout = 0.0,
) -> nn.Module:
    """A recurrent network for series: GRU or LSTM layers, and fully connected ones over the last state.

    GRU: Cho et al., 2014; LSTM: Hochreiter & Schmidhuber, 1997. A row of features is read as a series of one channel.
    """
    from core.nets.rnn import Rnn

    return Rnn(
        shape,
        cell=cell,
        hidden_size=hidden_size,
        num_layers=num_layers,
        bidirectional=bidirectional,
        hidden=hidden,
        dropout=dropout,
    )
