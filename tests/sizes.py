"""Which door the small size of a test goes through where both have the same code behind them; `--full` takes both."""

from __future__ import annotations

import pytest

EMBEDDED_ALWAYS = ("embedded", pytest.param("celery", marks=pytest.mark.full))
CELERY_ALWAYS = (pytest.param("embedded", marks=pytest.mark.full), "celery")
