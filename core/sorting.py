"""In which order a list of jobs goes, in the words of the wire."""

from __future__ import annotations

from enum import StrEnum


class Sorting(StrEnum):
    """How jobs are listed: `desc` the newest first, `asc` the oldest, or by a figure, `-` from its highest down.

    `loss` is that of the best epoch, `finished` when a job ended; jobs that have none come last.
    """

    NEWEST = "desc"
    OLDEST = "asc"
    NAME = "name"
    NAME_DOWN = "-name"
    LOSS = "loss"
    LOSS_DOWN = "-loss"
    FINISHED = "finished"
    FINISHED_DOWN = "-finished"

    @property
    def falls(self) -> bool:
        """Whether it goes from the highest down."""
        return self is Sorting.NEWEST or self.startswith("-")
