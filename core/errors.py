"""Every error Trainwire raises on purpose, in one tree.

TrainwireError
├── Refused                 a request that cannot be met as it stands
│   ├── SpecRefused             the spec has problems, all of them listed
│   ├── DataRefused             the file has problems, the first of them listed
│   ├── RowsRefused             the rows to predict have problems, the first of them listed
│   ├── ExportRefused           the model cannot be exported in this format
│   ├── NotFound                no such job, artifact or route
│   ├── WrongStatus             the job's status does not allow it
│   ├── Gone                    the job or dataset was there and was deleted
│   ├── KeyReused               the Idempotency-Key came with another request before
│   ├── NotAllowed              the key is missing or wrong
│   └── BadRequest              a parameter of the request is wrong
├── Unavailable             the service cannot answer now; ask again
├── NoServer                nothing answers at the address (the client's)
├── StartRefused            the service cannot start; one sentence says why
├── ClaimLost               another worker owns the run now; leave quietly
└── RunFailed               a run cannot go on; carries its `Reason`
    ├── Diverged                the cost is NaN or infinite
    ├── InvalidData             the data cannot be trained on
    ├── InvalidSpec             the spec asks for what this worker cannot do
    └── StorageFull             there is no space for a checkpoint or the weights
"""

from __future__ import annotations

import errno
import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from core.job import ErrorInfo, Problem, Reason

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
"""How torch tells a person in bold what to do."""


def sentence(error: BaseException) -> str:
    """The type of `error` and the first line that it says, without a terminal's colours."""
    first = _COLOURS.sub("", str(error)).strip().partition("\n")[0]
    return f"{type(error).__name__}: {first}" if first else type(error).__name__


class TrainwireError(Exception):
    """Something went wrong in Trainwire."""

    code: ClassVar[str] = "internal_error"

    def __init__(self, message: str | None = None, *, hint: str | None = None, param: str | None = None) -> None:
        self.message = message or (type(self).__doc__ or "").strip()
        self.hint = hint
        self.param = param
        self.problem: Mapping[str, Any] = {}
        """The answer's problem details (RFC 9457), where the error came over HTTP."""
        super().__init__(self.message)


class Refused(TrainwireError):
    """The request cannot be met as it stands."""

    code = "refused"


class SpecRefused(Refused):
    """The spec has problems."""

    code = "invalid_spec"

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{problem.pointer}: {problem.message}" for problem in problems))


class DataRefused(Refused):
    """The file cannot be trained on: `problems` are the first of `count`, each with its place in the file.

    Pointers name the place: `/file`, `/file/rows/17` (counted from 1, without the header), `/file/rows/17/age`,
    `/file/columns/age`, `/file/entries/cat~11.png`.
    """

    code = "invalid_data"

    def __init__(self, problems: Sequence[Problem], *, count: int | None = None) -> None:
        self.problems = tuple(problems)
        self.count = max(len(self.problems), count or 0)
        super().__init__(" ".join(problem.message for problem in problems))


class RowsRefused(Refused):
    """It cannot be predicted: `problems` are the first of `count`, each with its place (`/rows/3/age`)."""

    code = "invalid_rows"

    def __init__(self, problems: Sequence[Problem], *, count: int | None = None) -> None:
        self.problems = tuple(problems)
        self.count = max(len(self.problems), count or 0)
        super().__init__(" ".join(problem.message for problem in problems))


class ExportRefused(Refused):
    """The model cannot be exported in this format."""

    code = "export_refused"


class NotFound(Refused):
    """There is no such thing here."""

    code = "not_found"


class WrongStatus(Refused):
    """The job's status does not allow this."""

    code = "wrong_status"


class BadRequest(Refused):
    """A parameter of the request is wrong."""

    code = "bad_request"


class Gone(Refused):
    """It was deleted."""

    code = "gone"


class KeyReused(Refused):
    """The Idempotency-Key belongs to another request."""

    code = "key_reused"


class NotAllowed(Refused):
    """The API key is missing or wrong."""

    code = "not_allowed"


class Unavailable(TrainwireError):
    """The service cannot answer now; ask again in a moment."""

    code = "unavailable"


class NoServer(TrainwireError):
    """No Trainwire service answers there."""

    code = "no_server"


class StartRefused(TrainwireError):
    """The service cannot start here."""

    code = "start_refused"


class ClaimLost(TrainwireError):
    """Another worker owns this run now."""

    code = "claim_lost"


class RunFailed(TrainwireError):
    """The run cannot go on."""

    reason: ClassVar[Reason] = Reason.INTERNAL_ERROR

    @property
    def info(self) -> ErrorInfo:
        """What the job shows as its `error`."""
        return ErrorInfo(code=self.reason, message=self.message, hint=self.hint, param=self.param)


class Diverged(RunFailed):
    """The cost became NaN or infinite."""

    reason = Reason.DIVERGED


class InvalidData(RunFailed):
    """The data cannot be trained on."""

    reason = Reason.INVALID_DATA


class InvalidSpec(RunFailed):
    """The spec asks for what this worker cannot do."""

    reason = Reason.INVALID_SPEC


class StorageFull(RunFailed):
    """There is no space left for a checkpoint or the weights."""

    reason = Reason.STORAGE_FULL


NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""The system's error numbers of a full disk, quota or file limit: what StorageFull stands for."""
