"""A job's files as the API shows them: its checkpoints, and what it leaves at its end."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from core.checkpoint import Occasion
from core.views.page import Page, View


class CheckpointFileView(View):
    """One file of a checkpoint: its size in bytes and its SHA-256 in hex."""

    name: str
    bytes: int = Field(ge=0)
    sha256: str


class CheckpointView(View):
    """Where a run can go on: behind `epoch` whole epochs and `step` steps of the next one.

    `occasion` says why it was taken, `attempt` by which start of the run; `bytes` is the sum of its files.
    """

    id: str
    epoch: int = Field(ge=0)
    step: int = Field(ge=0)
    occasion: Occasion
    attempt: int = Field(ge=0)
    bytes: int = Field(ge=0)
    files: list[CheckpointFileView]
    created_at: datetime | None = None


class ArtifactView(View):
    """A file that a job made: its size in bytes, its SHA-256 in hex, and where to get it."""

    name: str
    media_type: str
    bytes: int = Field(ge=0)
    sha256: str
    created_at: datetime | None = None
    url: str


class CheckpointPage(Page[CheckpointView]):
    """The checkpoints of a job, newest first."""


class ArtifactPage(Page[ArtifactView]):
    """The files of a job."""
