"""What goes through the pipe: a run's events as bytes, of which the supervisor unpickles the words and nothing else.

A process that trains is not trusted with the database, so it must not be able to run code in who is.
"""

from __future__ import annotations

import io
import pickle
from typing import Any

from core import checkpoint, events, job, usage

MAX_BYTES = 1 << 20
PING = b"ping"
"""The supervisor lives."""
STOP = b"stop"
"""Keep a checkpoint at the next step, and end."""
_WORDS = {
    (kind.__module__, kind.__name__): kind
    for kind in (
        checkpoint.Checkpoint,
        checkpoint.CheckpointFile,
        checkpoint.Occasion,
        events.Checkpointed,
        events.EpochDone,
        events.Failed,
        events.Finished,
        events.Logged,
        events.Measured,
        events.Noticed,
        events.Probed,
        events.Resumed,
        events.Started,
        events.Stopped,
        job.Artifact,
        job.EpochRow,
        job.ErrorInfo,
        job.Progress,
        job.Reason,
        usage.Memory,
        usage.Trial,
    )
}


def dumps(message: object) -> bytes:
    """A run's event, or a tuple of strings, as bytes."""
    return pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)


def loads(data: bytes) -> Any:
    """The message; raises UnpicklingError for anything that is no word of a run."""
    return _Words(io.BytesIO(data)).load()


class _Words(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        try:
            return _WORDS[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"{module}.{name} is no word of a run") from None
