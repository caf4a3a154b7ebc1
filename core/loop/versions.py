"""The versions that a run's numbers depend on, looked up once, before any run."""

from __future__ import annotations

import functools
import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version

import numpy as np
import torch

from core.registry import models, optimizers
from core.spec import JobSpec

VERSIONS: Mapping[str, str] = {
    "trainwire": version("trainwire"),
    "python": platform.python_version(),
    "torch": str(torch.__version__),
    "numpy": np.__version__,
}


def versions_of(spec: JobSpec) -> dict[str, str]:
    """These, and of the packages that the spec's model and optimizer come from."""
    parts = (models.get(spec.model.name), optimizers.get(spec.optimizer.name))
    packages = sorted({part.facts["package"] for part in parts if "package" in part.facts})
    return {**VERSIONS, **{package: _version(package) for package in packages}}


@functools.cache
def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"
