"""torchmetrics without transformers, which it loads wherever that is installed: two seconds, for metrics of text.

No metric of ours is among these. Imported before anything else of the loop, so that no other import comes first.
"""

from __future__ import annotations

from lightning_utilities.core.imports import RequirementCache

_ALIEN = "transformers"
_judge = RequirementCache._check_available


def _judge_but_one(requirement: RequirementCache) -> None:
    """What torchmetrics asks of each package that it could use, before it loads it."""
    if str(requirement.requirement or requirement.module).startswith(_ALIEN):
        requirement.available, requirement.message = False, "left out"
    else:
        _judge(requirement)


RequirementCache._check_available = _judge_but_one  # type: ignore[method-assign, assignment]
try:
    import torchmetrics  # noqa: F401
finally:
    RequirementCache._check_available = _judge  # type: ignore[method-assign]
