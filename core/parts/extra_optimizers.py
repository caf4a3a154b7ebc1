"""Optimizers of the package pytorch-optimizer: those that were seen to go on exactly from a checkpoint."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

from pydantic import Field

from core.checks import Finding, shown
from core.parts.limits import Decay, Epsilon, Momentum
from core.registry import optimizers

if TYPE_CHECKING:
    from torch import Tensor
    from torch.optim import Optimizer

Name = Literal[
    "accsgd", "adabelief", "adabound", "adai", "adamg", "adamod", "adamp", "adan", "adanorm", "adasmooth",
    "ademamix", "adopt", "aggmo", "aida", "avagrad", "came", "dadaptadam", "dadaptlion", "dadaptsgd",
    "diffgrad", "exadam", "fadam", "fromage", "grams", "gravity", "lamb", "laprop", "lars", "lion", "madgrad",
    "mars", "nero", "novograd", "padam", "prodigy", "qhadam", "qhm", "ranger", "sgdp", "sgdw", "signsgd",
    "sm3", "stableadamw", "swats", "tiger", "yogi"]  # fmt: skip
"""Not among them: what needs the model itself, second derivatives, a mode for evaluation, or code in its state."""


class Algorithm(NamedTuple):
    """The package's own rate, how much is kept for each weight at most, how many betas, and what else can be set."""

    lr: float
    state: int
    betas: int
    takes: tuple[str, ...]


ALGORITHMS: dict[Name, Algorithm] = {
    "accsgd": Algorithm(0.001, 1, 0, ("weight_decay",)),
    "adabelief": Algorithm(0.001, 2, 2, ("weight_decay", "eps")),
    "adabound": Algorithm(0.001, 2, 2, ("weight_decay", "eps")),
    "adai": Algorithm(0.001, 3, 2, ("weight_decay", "eps")),
    "adamg": Algorithm(1, 3, 3, ("weight_decay", "eps")),
    "adamod": Algorithm(0.001, 3, 3, ("weight_decay", "eps")),
    "adamp": Algorithm(0.001, 2, 2, ("weight_decay", "eps")),
    "adan": Algorithm(0.001, 4, 3, ("weight_decay", "eps")),
    "adanorm": Algorithm(0.001, 2, 2, ("weight_decay", "eps")),
    "adasmooth": Algorithm(0.001, 4, 2, ("weight_decay", "eps")),
    "ademamix": Algorithm(0.001, 3, 3, ("weight_decay", "eps")),
    "adopt": Algorithm(0.001, 2, 2, ("weight_decay", "eps")),
    "aggmo": Algorithm(0.001, 3, 3, ("weight_decay",)),
    "aida": Algorithm(0.001, 2, 2, ("weight_decay", "eps")),
    "avagrad": Algorithm(0.1, 2, 2, ("weight_decay", "eps")),
    "came": Algorithm(0.0002, 2, 3, ("weight_decay",)),
    "dadaptadam": Algorithm(1, 3, 2, ("weight_decay", "eps")),
    "dadaptlion": Algorithm(1, 2, 2, ("weight_decay",)),
    "dadaptsgd": Algorithm(1, 3, 0, ("momentum", "weight_decay")),
    "diffgrad": Algorithm(0.001, 3, 2, ("weight_decay", "eps")),
    "exadam": Algorithm(0.001, 2, 2, ("weight_decay", "eps")),
    "fadam": Algorithm(0.001, 2, 2, ("weight_decay", "eps")),
    "fromage": Algorithm(0.01, 0, 0, ()),
    "grams": Algorithm(0.001, 2, 2, ("weight_decay", "eps")),
    "gravity": Algorithm(0.01, 1, 0, ()),
    "lamb": Algorithm(0.001, 2, 2, ("weight_decay", "eps")),
    "laprop": Algorithm(0.0004, 2, 2, ("weight_decay", "eps")),
    "lars": Algorithm(0.001, 1, 0, ("momentum", "weight_decay")),
    "lion": Algorithm(0.0001, 1, 2, ("weight_decay",)),
    "madgrad": Algorithm(0.001, 3, 0, ("momentum", "weight_decay", "eps")),
    "mars": Algorithm(0.003, 3, 2, ("weight_decay", "eps")),
    "nero": Algorithm(0.01, 1, 0, ("eps",)),
    "novograd": Algorithm(0.001, 1, 2, ("weight_decay", "eps")),
    "padam": Algorithm(0.1, 2, 2, ("weight_decay", "eps")),
    "prodigy": Algorithm(1, 4, 2, ("weight_decay", "eps")),
    "qhadam": Algorithm(0.001, 2, 2, ("weight_decay", "eps")),
    "qhm": Algorithm(0.001, 1, 0, ("momentum", "weight_decay")),
    "ranger": Algorithm(0.001, 3, 2, ("weight_decay", "eps")),
    "sgdp": Algorithm(0.001, 1, 0, ("momentum", "weight_decay", "eps")),
    "sgdw": Algorithm(0.0001, 1, 0, ("momentum", "weight_decay")),
    "signsgd": Algorithm(0.001, 1, 0, ("momentum", "weight_decay")),
    "sm3": Algorithm(0.1, 2, 0, ("momentum", "eps")),
    "stableadamw": Algorithm(0.001, 2, 2, ("weight_decay", "eps")),
    "swats": Algorithm(0.001, 2, 2, ("weight_decay", "eps")),
    "tiger": Algorithm(0.001, 1, 0, ("weight_decay",)),
    "yogi": Algorithm(0.01, 2, 2, ("weight_decay", "eps")),
}


def _rate(*, algorithm: Name, **_: Any) -> float:
    return ALGORITHMS[algorithm].lr


def _state(*, algorithm: Name, **_: Any) -> int:
    return ALGORITHMS[algorithm].state


def _decays(*, algorithm: Name, **_: Any) -> bool:
    return "weight_decay" in ALGORITHMS[algorithm].takes


def _takes(*, algorithm: Name, **settings: Any) -> Iterator[Finding]:
    known = ALGORITHMS[algorithm]
    takes = (*(("betas",) if known.betas else ()), *known.takes)
    for setting, value in settings.items():
        if value is not None and setting not in takes:
            told = f"{shown(algorithm)} has no {setting}; it takes {', '.join(takes) or 'no settings'}."
            yield Finding((setting,), value, told, [None])
    betas = settings["betas"]
    if betas is not None and known.betas and len(betas) != known.betas:
        told = f"{shown(algorithm)} takes {known.betas} betas, not {len(betas)}."
        yield Finding(("betas",), list(betas), told, {"minItems": known.betas, "maxItems": known.betas})


@optimizers.register(lr=_rate, state=_state, decays=_decays, check=_takes, extra="optim", package="pytorch_optimizer")
def pytorch_optimizer(
    weights: Iterable[Tensor],
    lr: float,
    *,
    algorithm: Name,
    weight_decay: Decay | None = None,
    momentum: Momentum | None = None,
    betas: Annotated[tuple[Momentum, ...], Field(strict=False, min_length=2, max_length=3)] | None = None,
    eps: Epsilon | None = None,
) -> Optimizer:
    """An optimizer of the package pytorch-optimizer (needs trainwire[optim]): Lion, LAMB, Prodigy, AdaBelief and more.

    What is null is the package's own for the algorithm; `lr` too, when not given.
    """
    from core.extras import library

    package = library("pytorch_optimizer", extra="optim", param="/optimizer")
    given = {"weight_decay": weight_decay, "momentum": momentum, "betas": betas, "eps": eps}
    settings = {name: value for name, value in given.items() if value is not None}
    made: Optimizer = package.load_optimizer(algorithm)(weights, lr=lr, **settings)
    return made
