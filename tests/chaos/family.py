"""The processes that one start led to, found by a mark in their environment (`/proc`, so on Linux only)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

MARK = "CHAOS_FAMILY"
_PROC = Path("/proc")
_FORKSERVER = b"multiprocessing.forkserver"


@dataclass(frozen=True)
class Relative:
    """A process of a family."""

    pid: int
    parent: int
    threads: int
    forked: bool
    """Whether it is the forkserver or was forked from it."""


def family(mark: str) -> list[Relative]:
    """Every living process that was started with `mark` in its environment, or by one that was."""
    wanted = f"{MARK}={mark}".encode()
    found = (_relative(folder, wanted) for folder in _PROC.iterdir() if folder.name.isdecimal())
    return [each for each in found if each is not None]


def trainers(mark: str) -> list[int]:
    """The children at work: forked from the forkserver, and no longer the one that waits for its order.

    A child that got its order has a second thread, which watches its supervisor.
    """
    return [child.pid for child in _children(family(mark)) if child.threads > 1]


def forkserver(mark: str) -> list[int]:
    """The process that the children are forked from; empty while there is none."""
    return [each.pid for each in _servers(family(mark))]


def _servers(relatives: list[Relative]) -> list[Relative]:
    forked = {each.pid for each in relatives if each.forked}
    return [each for each in relatives if each.forked and each.parent not in forked]


def _children(relatives: list[Relative]) -> list[Relative]:
    servers = {each.pid for each in _servers(relatives)}
    return [each for each in relatives if each.parent in servers]


def _relative(folder: Path, wanted: bytes) -> Relative | None:
    try:
        if wanted not in (folder / "environ").read_bytes().split(b"\0"):
            return None
        # the name in parentheses may hold anything
        state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
        forked = _FORKSERVER in (folder / "cmdline").read_bytes()
        threads = sum(1 for _ in (folder / "task").iterdir())
    except OSError:
        return None  # gone meanwhile, or another user's
    return None if state == "Z" else Relative(int(folder.name), int(parent), threads, forked)
