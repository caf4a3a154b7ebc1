"""How a command ends: its exit code, and what an error says on the way out."""

from __future__ import annotations

import json
import sys
from collections.abc import Generator
from contextlib import contextmanager
from enum import IntEnum

import typer

from core.errors import (
    DataRefused,
    NoServer,
    NotAllowed,
    Refused,
    RowsRefused,
    SpecRefused,
    TrainwireError,
    Unavailable,
)
from core.job import Status
from core.sentences import plain


class Exit(IntEnum):
    """What a shell sees."""

    SUCCEEDED = 0
    FAILED = 1
    REFUSED = 2
    CANCELLED = 3
    NO_SERVER = 4
    DETACHED = 130


_BY_STATUS = {Status.SUCCEEDED: Exit.SUCCEEDED, Status.FAILED: Exit.FAILED, Status.CANCELLED: Exit.CANCELLED}


def of_status(status: Status) -> Exit:
    """The exit code of a command that saw a job to its end."""
    return _BY_STATUS[status]


@contextmanager
def errors_told(*, as_json: bool) -> Generator[None]:
    """End the command with the right code and say on stderr what is wrong (as JSON: on stdout)."""
    try:
        yield
    except TrainwireError as error:
        if as_json:
            print(json.dumps(_as_problem(error)))
        else:
            print(_in_words(error), file=sys.stderr)
        raise typer.Exit(_of_error(error)) from error


def _of_error(error: TrainwireError) -> Exit:
    if isinstance(error, NoServer | Unavailable):
        return Exit.NO_SERVER
    return Exit.REFUSED if isinstance(error, Refused) else Exit.FAILED


def _in_words(error: TrainwireError) -> str:
    if isinstance(error, DataRefused):
        return _file_in_words(error)
    if isinstance(error, SpecRefused | RowsRefused):
        return _listed(error)
    hint = "Set TRAINWIRE_API_KEY to the key of the service." if isinstance(error, NotAllowed) else error.hint
    return "\n".join(filter(None, [error.message, hint]))


def _listed(error: SpecRefused | RowsRefused) -> str:
    count = len(error.problems)
    width = max(len(problem.pointer) for problem in error.problems)
    lines = [f"  {problem.pointer:<{width}}  {problem.message}" for problem in error.problems]
    what = "The spec was refused" if isinstance(error, SpecRefused) else "Nothing was predicted"
    return "\n".join([f"{what}: {count} problem{'s' * (count > 1)}.", *lines])


def _file_in_words(error: DataRefused) -> str:
    """The problems name their places themselves; where there are more than are told, the answer says how many."""
    lines = [f"  {plain(problem.message)}" for problem in error.problems]
    told = error.problem.get("detail")
    return "\n".join([f"The file was refused. {told}" if told and len(lines) > 1 else "The file was refused:", *lines])


def _as_problem(error: TrainwireError) -> dict[str, object]:
    if error.problem:
        return dict(error.problem)
    return {"code": error.code, "detail": error.message, "errors": []}
