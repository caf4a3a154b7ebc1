"""Which parameters train, and by which settings: those that are frozen, and groups of the others, told by name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from torch import nn
from torch.optim import Optimizer

from core.errors import InvalidSpec
from core.spec.engine import BIAS_AND_NORM, ParamGroup

_LISTED = 12
"""Names of parameters that an error lists."""

Parameters = Mapping[str, nn.Parameter]


def freeze(model: nn.Module, globs: Sequence[str], *, were: Sequence[str] = ()) -> None:
    """Let only those parameters of `model` train that no glob fits; those that `were` frozen may train again.

    Raises InvalidSpec for a glob that fits none, and when they fit all.
    """
    known = dict(model.named_parameters())
    for name in _fitting(known, were):
        known[name].requires_grad_(True)  # noqa: FBT003  (torch's own)
    for place, glob in enumerate(globs):
        if not (frozen := _fitting(known, [glob])):
            raise _unknown(glob, known, param=f"/freeze/{place}")
        for name in frozen:
            known[name].requires_grad_(False).grad = None  # noqa: FBT003
    if globs and not any(one.requires_grad for one in known.values()):
        told = f"freeze leaves none of the {len(known)} parameters to train."
        raise InvalidSpec(told, hint=f"Name fewer. {_listed(known)}", param="/freeze")


def trainable(model: nn.Module) -> Iterator[nn.Parameter]:
    """The parameters that train, in the model's order."""
    return (one for one in model.parameters() if one.requires_grad)


def start_training(model: nn.Module) -> None:
    """Training mode, but for normalization whose parameters are all frozen: so are its running statistics then."""
    model.train()
    for module in model.modules():
        own = list(module.parameters(recurse=False))
        if own and getattr(module, "running_mean", None) is not None and not any(one.requires_grad for one in own):
            module.eval()


def regroup(optimizer: Optimizer, model: nn.Module, wishes: Sequence[ParamGroup], *, lr: float, decay: Any) -> None:
    """Part what `optimizer` trains into the groups of `wishes`; its state stays with the parameters.

    The first group is all that no wish fits, with the optimizer's own settings and the learning rate `lr`, also when
    nothing is left to it: schedules lead it, and each other group follows at its `lr_scale`. `decay` is the optimizer's
    own weight decay. Raises InvalidSpec for a glob that fits no parameter, and for a group that is left none.
    """
    known = dict(model.named_parameters())
    left = {name: one for name, one in known.items() if one.requires_grad}
    base = {**optimizer.param_groups[0], **({} if decay is None else {"weight_decay": decay})}
    groups = []
    for place, wish in enumerate(wishes):
        taken = _taken(wish, left, known, param=f"/param_groups/{place}/params")
        own = {} if wish.weight_decay is None else {"weight_decay": wish.weight_decay}
        groups.append({**base, **own, "params": taken, "lr": lr * wish.lr_scale, "lr_scale": wish.lr_scale})
    rest = {**base, "params": list(left.values()), "lr": lr, "lr_scale": 1.0}
    optimizer.param_groups[:] = [rest, *groups]


def _taken(wish: ParamGroup, left: dict[str, nn.Parameter], known: Parameters, *, param: str) -> list[nn.Parameter]:
    for glob in wish.params:
        if not _fitting(known, [glob]):
            raise _unknown(glob, known, param=param)
    taken = _fitting(left, wish.params)
    if not taken:
        told = "All parameters that this group fits are frozen, or in a group before it."
        raise InvalidSpec(told, hint=f"Put it before the others, or leave it out. {_listed(known)}", param=param)
    return [left.pop(name) for name in taken]


def _fitting(known: Parameters, globs: Iterable[str]) -> list[str]:
    return [name for name, one in known.items() if any(_fits(glob, name, one) for glob in globs)]


def _fits(glob: str, name: str, parameter: nn.Parameter) -> bool:
    return parameter.ndim <= 1 if glob == BIAS_AND_NORM else fnmatchcase(name, glob)


def _unknown(glob: str, known: Parameters, *, param: str) -> InvalidSpec:
    return InvalidSpec(f'"{glob}" fits no parameter of the model.', hint=_listed(known), param=param)


def _listed(known: Parameters) -> str:
    names = list(known)
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return f"There are {', '.join(names[:_LISTED])}{more}."
