"""Single keys from a terminal, without Return; elsewhere none comes."""

from __future__ import annotations

import select
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def single_keys() -> Generator[None]:
    """Let keys arrive one by one and unseen, and the terminal be as it was behind it."""
    if not sys.stdin.isatty():
        yield
        return
    import termios
    import tty

    before = termios.tcgetattr(sys.stdin)
    try:
        tty.setcbreak(sys.stdin)
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


def key(*, within_s: float) -> str:
    """The key that is pressed within so many seconds, or nothing."""
    if not sys.stdin.isatty():
        time.sleep(within_s)
        return ""
    ready, _, _ = select.select([sys.stdin], [], [], within_s)
    return sys.stdin.read(1) if ready else ""
