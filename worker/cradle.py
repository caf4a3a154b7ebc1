"""The last thing that the forkserver imports, and nobody else: how it keeps its memory and how it leaves.

What is loaded by now is shared by every child, for as long as no collection touches it. Torch's own shutdown takes a
second or two, so when the supervisor has gone the forkserver leaves past it.
"""

from __future__ import annotations

import atexit
import gc
import os
import sys

from worker.kindling import STAND_IN

if sys.modules.get(STAND_IN.__name__) is STAND_IN:
    del sys.modules[STAND_IN.__name__]  # whoever asks for it now gets the real one
gc.freeze()
gc.enable()
atexit.register(os._exit, 0)
