"""What a process prints, cut into lines of bounded length, whatever bytes it prints."""

from __future__ import annotations

import re

MAX_LINE = 4096
"""Bytes; a longer line becomes several."""
_END = re.compile(rb"\r\n|\n|\r")
_CONTROLS = dict.fromkeys(code for code in (*range(32), *range(127, 160)) if code != ord("\t"))


class Lines:
    """Collects the bytes of one stream and gives them back as lines of text."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[str]:
        """The lines that `data` completes; a carriage return ends one too, so a progress bar is lines."""
        *whole, self._rest = _END.split(self._rest + data)
        cut = len(self._rest) - len(self._rest) % MAX_LINE
        pieces = [*whole, self._rest[:cut]] if cut else whole
        self._rest = self._rest[cut:]
        return [line for piece in pieces if piece for line in _texts(piece)]

    def end(self) -> list[str]:
        """What was printed without an end of line."""
        rest, self._rest = self._rest, b""
        return _texts(rest) if rest else []


def _texts(piece: bytes) -> list[str]:
    cuts = range(0, len(piece), MAX_LINE)
    return [piece[cut : cut + MAX_LINE].decode(errors="replace").translate(_CONTROLS) for cut in cuts]
