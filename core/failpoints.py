"""Named points at which a test may end the process as a crash would; in any other life they cost one comparison.

`TRAINWIRE_TEST_FAILPOINT=<name>@<file>` ends the process by SIGKILL the first time that it passes the point `<name>`
and finds `<file>`, which it takes away: so a service that comes back passes unharmed. With `*` for `<name>` the
point is the one whose name stands in the file.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

VARIABLE = "TRAINWIRE_TEST_FAILPOINT"
ANY = "*"
NAMES = (
    "submit.before_commit",
    "submit.after_commit",
    "claim.before_commit",
    "claim.after_commit",
    "record.before_commit",
    "record.after_commit",
    "checkpoint.before_rename",
    "checkpoint.after_rename",
    "checkpoint.after_row",
    "finish.before_weights",
    "finish.after_weights",
    "finish.before_commit",
    "finish.after_commit",
    "cancel.before_commit",
    "cancel.after_commit",
    "release.before_commit",
    "release.after_commit",
)
"""Every point there is: of submitting, claiming, recording, checkpointing, finishing, cancelling and giving back."""

_armed, _, _flag = os.environ.get(VARIABLE, "").partition("@")


def failpoint(name: str) -> None:
    """Die here, if a test asked for that."""
    if _armed in (name, ANY):
        _die(name)


def _die(name: str) -> None:
    try:
        if _armed == ANY and Path(_flag).read_text() != name:
            return
        Path(_flag).unlink()
    except FileNotFoundError:
        return  # somebody passed here before
    os.kill(os.getpid(), signal.SIGKILL)
