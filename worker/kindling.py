"""The first thing that the forkserver imports, and nobody else: what makes the rest load in half the time.

`worker.cradle`, the last thing, takes it all back.
"""

from __future__ import annotations

import gc
import sys
from types import ModuleType

gc.disable()
"""What follows makes much and leaves no garbage; to look for some all the while takes a quarter of torch's time."""

STAND_IN = ModuleType("scipy.signal")
"""torchmetrics loads scipy.signal (1.2 s) only to give it back a name that another package misses in it."""
STAND_IN.hamming = None  # type: ignore[attr-defined]
sys.modules.setdefault(STAND_IN.__name__, STAND_IN)
