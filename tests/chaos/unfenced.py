"""`celery -A tests.chaos.unfenced`: a worker without one of the store's two safeguards, and with the light trainer.

`CHAOS_WITHOUT=fence`: who lost a claim goes on writing. `CHAOS_WITHOUT=key`: nobody asks whether an epoch is stored.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from unittest.mock import patch

from core.job import Claim, Status
from core.store.moves import Guard, Standing
from tests.chaos.light_service import lighten
from worker.app import app

WITHOUT = "CHAOS_WITHOUT"
__all__ = ["app"]


def _let_in(row: Standing | None, claim: Claim) -> Standing:
    assert row is not None, claim
    return row


def _unnumbered(statuses: Collection[Status], attempt: int | None) -> Guard:  # noqa: ARG001 - that is the point
    return Guard(statuses)


if os.environ.get(WITHOUT) == "fence":
    patch("core.store.recording._fenced", _let_in).start()
    patch("core.store.recording.Guard", _unnumbered).start()
    patch("worker.vigil.stop_what_ended", lambda *_: None).start()
elif os.environ.get(WITHOUT) == "key":
    patch("core.store.recording._stored", lambda *_: {}).start()
lighten()
