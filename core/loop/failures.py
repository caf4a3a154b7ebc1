"""What to tell the user about the error that ended a run."""

from __future__ import annotations

import torch

from core.errors import RunFailed
from core.events import Failed
from core.job import ErrorInfo, Reason

_NO_MEMORY = ("can't allocate memory", "not enough memory", "out of memory")


def explain(error: BaseException) -> Failed:
    """The ending for `error`: its own reason, `out_of_memory` with what to change, or `internal_error`.

    An unforeseen error shows its type and message only: a traceback belongs in the log.
    """
    if isinstance(error, RunFailed):
        return Failed(error.reason, error.info)
    if _is_out_of_memory(error):
        return Failed(Reason.OUT_OF_MEMORY, _out_of_memory(error))
    return Failed(Reason.INTERNAL_ERROR, ErrorInfo(code=Reason.INTERNAL_ERROR, message=_sentence(error)))


def _is_out_of_memory(error: BaseException) -> bool:
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error).lower() for words in _NO_MEMORY)


def _out_of_memory(error: BaseException) -> ErrorInfo:
    hint = "Lower batch_size (half of it is a good next try), or make the model smaller."
    return ErrorInfo(Reason.OUT_OF_MEMORY, f"The memory did not suffice: {_sentence(error)}", hint, "/batch_size")


def _sentence(error: BaseException) -> str:
    first = str(error).strip().partition("\n")[0]
    return f"{type(error).__name__}: {first}" if first else type(error).__name__
