"""What to tell the user about the error that ended a run."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import torch
from pydantic import ValidationError

from core.checks import problems
from core.epochs import predicts
from core.errors import NO_SPACE, RunFailed, sentence
from core.events import Failed
from core.job import ErrorInfo, Reason
from core.loop.compiling import is_of_compiler

_NO_MEMORY = ("can't allocate memory", "cannot allocate memory", "not enough memory", "out of memory")
_NO_ACCESS = frozenset({errno.EACCES, errno.EPERM, errno.EROFS, errno.EIO, errno.ENOENT, errno.ENOTDIR, errno.ESTALE})
_NONE: Mapping[str, Any] = MappingProxyType({})
_LOADER = "DataLoader worker (pid"
"""How torch begins to tell that one of its worker processes died."""


def explain(error: BaseException, *, spec: Mapping[str, Any] = _NONE) -> Failed:
    """The ending for `error`: its own reason, or one of the system's with a hint by `spec`, or `internal_error`.

    An unforeseen error shows its type and message only: a traceback belongs in the log.
    """
    if isinstance(error, RunFailed):
        return Failed(error.reason, error.info)
    if (told := _of_the_spec(error)) is not None:
        return Failed(Reason.INVALID_SPEC, told)
    if is_out_of_memory(error):
        return Failed(Reason.OUT_OF_MEMORY, _out_of_memory(error, spec))
    if isinstance(error, OSError) and error.errno in NO_SPACE:
        return Failed(Reason.STORAGE_FULL, _storage_full(error))
    if isinstance(error, RuntimeError) and str(error).startswith(_LOADER):
        return Failed(Reason.KILLED_BY_SIGNAL, _loader_lost(error))
    return Failed(Reason.INTERNAL_ERROR, ErrorInfo(Reason.INTERNAL_ERROR, sentence(error), _hint(error)))


def is_out_of_memory(error: BaseException) -> bool:
    """Whether `error` says that an allocation failed, on whichever device."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    return isinstance(error, RuntimeError) and any(words in str(error).lower() for words in _NO_MEMORY)


def _hint(error: BaseException) -> str | None:
    if isinstance(error, OSError) and error.errno in _NO_ACCESS:
        return "See that the worker can read and write the folder where the artifacts are kept."
    return None


def _unknown_here(error: ValidationError) -> ErrorInfo:
    """A spec that the service took and this worker does not: it lacks a package, or is of another version."""
    first, *others = problems(error)
    more = f" And {len(others)} more problems." if others else ""
    hint = (
        "Install on every worker what the service has: the same Trainwire, its extras and plugins; then retry the job."
    )
    told = f"This worker cannot read the job's spec: {first.message}{more}"
    return ErrorInfo(Reason.INVALID_SPEC, told, hint, first.pointer or None)


def _out_of_memory(error: BaseException, spec: Mapping[str, Any]) -> ErrorInfo:
    if predicts(spec):
        hint = "Give the job more memory by resources.memory_gb, or upload the rows in several files."
        told = f"The memory did not suffice: {sentence(error)}"
        return ErrorInfo(Reason.OUT_OF_MEMORY, told, hint, "/resources/memory_gb")
    ways = ["Lower batch_size (half of it is a good next try)"]
    if (given := spec.get("resources", {}).get("memory_gb")) is not None:
        ways = [f"Raise resources.memory_gb, which is {given:g}", "lower batch_size (half of it is a good next try)"]
    if spec.get("on_out_of_memory", "fail") == "fail":
        ways.append('set on_out_of_memory to "accumulate"')
    hint = f"{', '.join(ways)}, or make the model smaller."
    return ErrorInfo(Reason.OUT_OF_MEMORY, f"The memory did not suffice: {sentence(error)}", hint, "/batch_size")


def _of_the_spec(error: BaseException) -> ErrorInfo | None:
    """What the spec asks for that this worker cannot do, if that is what `error` says."""
    if isinstance(error, ValidationError):
        return _unknown_here(error)
    return _not_compiled(error) if is_of_compiler(error) else None


def _not_compiled(error: BaseException) -> ErrorInfo:
    hint = "Set compile to false, which trains the same model without."
    why = sentence(getattr(error, "inner_exception", error))
    return ErrorInfo(Reason.INVALID_SPEC, f"The model cannot be compiled: {why}", hint, "/compile")


def _storage_full(error: OSError) -> ErrorInfo:
    hint = "Free some space where the artifacts are kept; the job goes on from its last checkpoint."
    return ErrorInfo(Reason.STORAGE_FULL, f"The disk is full: {sentence(error)}", hint)


def _loader_lost(error: BaseException) -> ErrorInfo:
    hint = "Lower loader.num_workers (0 needs no processes), or give the worker more shared memory (shm_size)."
    return ErrorInfo(Reason.KILLED_BY_SIGNAL, sentence(error), hint, "/loader/num_workers")
