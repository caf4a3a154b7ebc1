"""`python -m tests.chaos.light_service up …`: the command line, with a trainer that needs no torch."""

from __future__ import annotations

from functools import partialmethod

from trainwire.__main__ import main
from worker.launcher import Launcher


def lighten() -> None:
    """Let launchers train with the light trainer."""
    Launcher.__init__ = partialmethod(Launcher.__init__, trainer="tests.chaos.light")  # type: ignore[method-assign,assignment]


if __name__ == "__main__":
    lighten()
    main()
