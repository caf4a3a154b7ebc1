"""The numbers that a spec may leave to the run, by saying "auto": found out when it begins."""

from __future__ import annotations

from typing import Annotated

from core.instead import OrWord
from core.parts.limits import BatchSize, LearningRate

AUTO = "auto"
AUTOS = ("lr", "batch_size")
"""The fields that may say so."""

# Numbers to whatever computes with them: nothing but a spec `with_numbers` comes there (docs/decisions/0026).
RateOrAuto = Annotated[LearningRate, OrWord(AUTO, value="a number")]
BatchSizeOrAuto = Annotated[BatchSize, OrWord(AUTO, value="a whole number")]
