"""Models that torch.compile makes kernels of: in a training process alone, and only where the spec asks for it."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

from core.errors import InvalidSpec

_KERNELS = 64
"""Shapes of batches that a model may be compiled for; each size is its own, and halving a batch makes new ones."""
_PARTS = ("torch._dynamo.", "torch._inductor.", "torch._functorch.")


def set_compiled(model: nn.Module, wanted: bool) -> None:  # noqa: FBT001  (as the spec says it)
    """Let `model` be called compiled, or no more, its parameters and their names as they are.

    Raises InvalidSpec where there is no compiler.
    """
    if not wanted:
        model._compiled_call_impl = None
        return
    _settle()
    # one kernel for each size of batch: a run that goes on behind an epoch's last, smaller one has the same
    model.compile(dynamic=False)


def uncompiled(model: nn.Module) -> Callable[[Tensor], Tensor]:
    """`model` as it is without its kernels, which would be made anew for each size that is judged at once."""
    call: Callable[[Tensor], Tensor] = model._call_impl
    return call


def is_of_compiler(error: BaseException) -> bool:
    """Whether `error` says that a model could not be compiled."""
    return any(f"{kind.__module__}.".startswith(_PARTS) for kind in type(error).__mro__)


def _settle() -> None:
    """Load torch's compiler (seconds), which draws from the run's own generators then and measures nothing."""
    import torch._dynamo
    import torch._inductor.config
    from torch._inductor import cpp_builder, exc

    torch._dynamo.config.recompile_limit = _KERNELS
    torch._dynamo.config.fail_on_recompile_limit_hit = True
    torch._inductor.config.fallback_random = True
    torch._inductor.config.deterministic = True
    torch._inductor.config.compile_threads = 1  # else it starts processes of its own
    try:
        cpp_builder.get_cpp_compiler()
    except exc.InvalidCxxCompiler as error:
        told = "The model cannot be compiled: this worker has no C++ compiler."
        raise InvalidSpec(told, hint="Set compile to false, or install g++ there.", param="/compile") from error
