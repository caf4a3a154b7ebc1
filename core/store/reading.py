"""Reads that clients poll: jobs, their log, their figures and files."""

from __future__ import annotations

from dataclasses import dataclass

from core.job import Progress, Status


@dataclass(frozen=True, slots=True)
class Pulse:
    """Whether a job has something new: its version (the last `seq`), progress and status."""

    version: int
    progress: Progress | None
    status: Status
