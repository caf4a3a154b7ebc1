"""torchmetrics without what it loads wherever that is installed: transformers (2 s) and matplotlib (0.5 s).

It has them for metrics of text and for plots; we use neither. Imported before anything else of the loop, so that no
other import comes first.
"""

from __future__ import annotations

from lightning_utilities.core.imports import RequirementCache

_ALIEN = ("transformers", "matplotlib")
_judge = RequirementCache._check_available


def _judge_but_those(requirement: RequirementCache) -> None:
    """What torchmetrics asks of each package that it could use, before it loads it."""
    if str(requirement.requirement or requirement.module).startswith(_ALIEN):
        requirement.available, requirement.message = False, "left out"
    else:
        _judge(requirement)


RequirementCache._check_available = _judge_but_those  # type: ignore[method-assign, assignment]
try:
    import torchmetrics  # noqa: F401
finally:
    RequirementCache._check_available = _judge  # type: ignore[method-assign]
