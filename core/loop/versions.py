"""The versions that a run's numbers depend on, looked up once, before any run."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from importlib.metadata import version

import numpy as np
import torch

VERSIONS: Mapping[str, str] = {
    "trainwire": version("trainwire"),
    "python": platform.python_version(),
    "torch": str(torch.__version__),
    "numpy": np.__version__,
}
