"""`python -m worker.member`: a machine that trains with a worker in its jobs of several nodes.

It knows no database and claims nothing: where TRAINWIRE_RENDEZVOUS says, it meets the worker that has claimed one,
trains with it, and comes back for the next. It sees the artifacts folder at the same path as the worker.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import suppress

from core.configuration import configured
from core.errors import StartRefused
from core.surroundings import scrubbed
from worker import training
from worker.agents import Meeting
from worker.devices import visible_gpus
from worker.ranks import Crew

_AGAIN_S = 1.0


def main() -> None:
    """Join one job after another until a signal comes, each in a process that leads a group of its own."""
    import torch._dynamo  # noqa: F401  (what torch's DDP loads: once, and each process inherits it)

    settings = configured()
    if settings.rendezvous is None or settings.nodes == 1:
        raise StartRefused("Set TRAINWIRE_RENDEZVOUS to the worker's host:port, and TRAINWIRE_NODES to how many meet.")
    gpus = visible_gpus()
    meeting = Meeting(settings.slots or gpus or 1, settings.nodes, settings.rendezvous, hosts=False, forks=not gpus)
    print(f"One of {meeting.nodes} nodes, with {meeting.devices} devices, at {meeting.endpoint}", flush=True)
    joined = 0

    def end(*_: object) -> None:
        if joined:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(joined, signal.SIGKILL)
        os._exit(0)

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    while True:
        joined = _join(meeting)
        os.waitpid(joined, 0)
        time.sleep(_AGAIN_S)


def _join(meeting: Meeting) -> int:
    """A process that meets the others and trains with them once."""
    pid = os.fork()
    if pid:
        with suppress(PermissionError):
            os.setpgid(pid, pid)
        return pid
    os.setpgid(0, 0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    clean = scrubbed(os.environ)
    for secret in set(os.environ) - set(clean):
        del os.environ[secret]
    os.environ.update(clean)
    with suppress(Exception):
        _train_once(meeting)
    os._exit(0)


def _train_once(meeting: Meeting) -> None:
    training.prepare()
    crew = Crew(meeting)
    crew.start()
    for event in crew.follow(lambda: False):
        print(event, file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        main()
    except StartRefused as refused:
        raise SystemExit(refused.message) from None
