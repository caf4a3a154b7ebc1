"""torch's optimizers without its compiler, which each of them would load at its first step: a second, and 60 MB.

torch.optim asks torch._dynamo for a graph break before and behind each step, and to leave some of its methods alone.
Where nothing is compiled neither does anything, so the numbers are the same to the last bit.
"""

from __future__ import annotations

import inspect
from types import MethodType
from typing import Any

import torch
from torch.optim import Optimizer

for _method in (Optimizer.add_param_group, Optimizer.load_state_dict, Optimizer.state_dict, Optimizer.zero_grad):
    _bare = inspect.unwrap(_method)
    # where torch._compile keeps what to call instead; a torch that looks elsewhere loads its compiler as before
    vars(_bare).setdefault("__dynamo_disable", _bare)


def eager(optimizer: Optimizer) -> Optimizer:
    """`optimizer` itself, whose step is torch's algorithm alone; one that does not come from torch is left as it is.

    What goes is the graph breaks, the profiler's mark and the step hooks, of which a run has none.
    """
    if type(optimizer).__module__.partition(".")[0] == "torch":
        algorithm = inspect.unwrap(type(optimizer).step)

        @torch.no_grad()
        def step(self: Optimizer, closure: Any = None) -> Any:
            return algorithm(self, closure)

        optimizer.step = MethodType(step, optimizer)  # type: ignore[method-assign]
    return optimizer
