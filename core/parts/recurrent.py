"""Layers that read a sample row by row and remember: of a series, one point in time after another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from core.parts.sizing import Shape, Sized, wants_axes
from core.registry import layers

if TYPE_CHECKING:
    from torch import nn

Hidden = Annotated[int, Field(ge=1, le=65_536)]
Returns = Literal["all", "last"]


def _recurrent(name: str, gates: int) -> Any:
    """The fact `sized` of a layer with so many gates, each with two biases as in torch; both directions weigh alike."""

    def told(shape: Shape, *, hidden_size: int, bidirectional: bool, returns: Returns) -> Sized:
        wants_axes(shape, name, "time", "columns")
        time, columns = shape
        ways = 1 + bidirectional
        weights = ways * gates * hidden_size * (columns + hidden_size + 2)
        kept = ways * time * hidden_size * (gates + 3)  # the gates, the state, what is remembered and what is given
        return Sized((ways * hidden_size,) if returns == "last" else (time, ways * hidden_size), weights, kept)

    return told


@layers.register(sized=_recurrent("gru", 3), in_one_piece=True)
def gru(shape: Shape, *, hidden_size: Hidden, bidirectional: bool = False, returns: Returns = "all") -> nn.Module:
    """A gated recurrent unit over (time, columns), all of its states or the last one (Cho et al., 2014)."""
    from torch import nn

    from core.nets.layers import Recurrent

    rnn = nn.GRU(shape[1], hidden_size, batch_first=True, bidirectional=bidirectional)
    return Recurrent(rnn, last=returns == "last")


@layers.register(sized=_recurrent("lstm", 4), in_one_piece=True)
def lstm(shape: Shape, *, hidden_size: Hidden, bidirectional: bool = False, returns: Returns = "all") -> nn.Module:
    """Long short-term memory over (time, columns); as `gru` (Hochreiter & Schmidhuber, 1997)."""
    from torch import nn

    from core.nets.layers import Recurrent

    rnn = nn.LSTM(shape[1], hidden_size, batch_first=True, bidirectional=bidirectional)
    return Recurrent(rnn, last=returns == "last")
