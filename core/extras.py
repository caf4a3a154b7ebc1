"""Packages that only some parts need: which extra of Trainwire brings them, and whether they are here.

A part says so by the facts `extra` and `package`; its package is imported in its body, in the process that trains.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

from core.errors import InvalidSpec, sentence


def is_here(package: str) -> bool:
    """Whether this Python finds the package, which is not imported."""
    try:
        return find_spec(package) is not None
    except (ImportError, ValueError):
        return False


def missing(facts: Mapping[str, Any]) -> str | None:
    """The remedy for what a part with these facts needs and this machine lacks; None when all is here."""
    package = facts.get("package")
    return None if package is None or is_here(package) else install(facts["extra"])


def install(extra: str) -> str:
    """The command that brings an extra."""
    return f'pip install "trainwire[{extra}]"'


def library(package: str, *, extra: str, param: str) -> Any:
    """The package, imported; raises InvalidSpec with the remedy where it is missing or cannot be imported."""
    try:
        return importlib.import_module(package)
    except Exception as error:
        told = f"This needs the package {package}, which this worker cannot import: {sentence(error)}"
        hint = f"On the worker: {install(extra)}, and start it again."
        raise InvalidSpec(told, hint=hint, param=param) from error
