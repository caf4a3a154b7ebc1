"""What a job may start from: the weights that another one left."""

from __future__ import annotations

from dataclasses import dataclass

from core.job import Artifact, Status

WEIGHTS = "model.safetensors"
"""The artifact that holds a job's weights."""
CARD = "model.json"
"""The artifact that says what they are."""


@dataclass(frozen=True, slots=True)
class Left:
    """How a job stands, and what it left: its file of weights, and the count of its parameters, once there are any."""

    status: Status
    file: Artifact | None = None
    parameters: int | None = None
