"""The environment of a process that computes for a client: no secret of the service, and one thread."""

from __future__ import annotations

from collections.abc import Mapping

from core import failpoints

_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")


def scrubbed(env: Mapping[str, str]) -> dict[str, str]:
    """The environment to train and predict in: nothing of the service's own, one thread unless the job says more."""
    others = {name: value for name, value in env.items() if not _is_ours(name)}
    return {**others, **_ONE_THREAD, "CUBLAS_WORKSPACE_CONFIG": ":4096:8"}


def _is_ours(name: str) -> bool:
    return name.startswith("TRAINWIRE_") and name != failpoints.VARIABLE
