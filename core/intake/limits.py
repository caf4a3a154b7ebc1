"""How much of a file from a stranger is looked at, and with how much memory and time."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """What a file may be at most, and what looking into it may take; the service's settings fill these in.

    `cell_bytes`: of one value of a table. `zip_bytes`: what an archive unpacks to. `memory_bytes`, `seconds`: of the
    process that looks into one file.
    """

    columns: int = 1_000
    rows: int = 100_000_000
    cell_bytes: int = 1_000_000
    pixels: int = 25_000_000
    zip_entries: int = 100_000
    zip_bytes: int = 20_000_000_000
    zip_ratio: int = 200
    memory_bytes: int = 2_000_000_000
    seconds: float = 300.0
