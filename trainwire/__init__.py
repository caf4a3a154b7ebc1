"""What a user types and imports: the command line, the Python client and `up`, the service in one process."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from core.loop.weights import load_model, load_preprocess
    from trainwire.client import Client

__all__ = ["Client", "load_model", "load_preprocess"]

_HOMES = {
    "Client": "trainwire.client",
    "load_model": "core.loop.weights",
    "load_preprocess": "core.loop.weights",
}


def __getattr__(name: str) -> Any:
    """Import on first use: a training child re-imports `__main__` and must stay free of server code."""
    if name not in _HOMES:
        raise AttributeError(f"module 'trainwire' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
