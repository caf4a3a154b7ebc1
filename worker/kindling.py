"""The first thing that the forkserver imports, and nobody else: what follows makes much and leaves no garbage.

Looking for some all the while takes a quarter of the time that torch takes to load; `worker.cradle` ends this.
"""

from __future__ import annotations

import gc

gc.disable()
