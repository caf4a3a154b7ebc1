"""A process that dies where it is told to: it forks a child for each line it reads, and says how the child ended.

One start of Python for all deaths: a line is a failpoint, a file that arms it and a database, with tabs between.
"""

from __future__ import annotations

import importlib
import os
import sys

from core import failpoints
from core.store import Once, Store, Submit
from tests.core.store.making import FINISHED, a_checkpoint, a_claim, a_spec, an_epoch, settings, told

ONCE = Once("key", "request")
OTHER = "the other"


def live(url: str) -> None:
    """A job from its wish to its end, with a drained worker on the way; and one that is cancelled."""
    store = Store.open(url, settings=settings())
    store.create(Submit(a_spec()), told=told, once=ONCE)
    first = a_claim(store)
    store.record(first, [an_epoch(1), a_checkpoint(first, 1)])
    store.release(first)
    store.record(a_claim(store), [an_epoch(2), FINISHED])
    store.cancel(store.add(a_spec(name=OTHER)).id)
    store.close()


def main() -> None:
    for line in sys.stdin:
        point, flag, url = line.strip().split("\t")
        child = os.fork()
        if child == 0:
            os.environ[failpoints.VARIABLE] = f"{point}@{flag}"
            importlib.reload(failpoints)
            live(url)
            os._exit(0)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
