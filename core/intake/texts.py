"""A plain text: seen to be UTF-8 piece by piece, its lines counted; nothing of it is kept in memory."""

from __future__ import annotations

import codecs
from pathlib import Path
from typing import IO

from core.dataset import Profile
from core.intake.places import SHOWN, Places, refused

BOM = b"\xef\xbb\xbf"
_PIECE = 1 << 20
_NOTING = "trainwire.note"
_CUT = 1_000
"""Characters of a line among the first rows."""


def inspect(path: Path) -> Profile:
    """The text's profile; its `rows` are lines. Raises DataRefused with the line and byte of what is no text."""
    places = Places()
    with path.open("rb") as file:
        if file.read(len(BOM)) == BOM:
            raise refused("the file begins with a byte order mark: save it as UTF-8 without one.", line=1)
        file.seek(0)
        lines = _read(file, places)
    places.judge()
    return Profile("text", "txt", lines)


def first_rows(path: Path, n: int) -> tuple[list[str], list[list[str]]]:
    """The first `n` lines of a text that passed inspection, the long ones cut."""
    rows: list[list[str]] = []
    with path.open(encoding="utf-8", newline="\n") as file:
        while len(rows) < n and (line := file.readline(_CUT)):
            rows.append([line.rstrip("\r\n")])
            while not line.endswith("\n") and (line := file.readline(_PIECE)):
                pass
    return ["text"], rows


def _read(file: IO[bytes], places: Places) -> int:
    """How many lines the file has, after noting what in it is no text."""
    lines, offset, rest, last = 0, 0, b"", b"\n"
    while piece := file.read(_PIECE):
        data, last = rest + piece, piece[-1:]
        consumed = _judge(data, places, offset=offset, line=lines + 1, final=False)
        lines += data.count(b"\n", 0, consumed)
        offset, rest = offset + consumed, data[consumed:]
    _judge(rest, places, offset=offset, line=lines + 1, final=True)
    return lines + (last != b"\n")


def _judge(data: bytes, places: Places, *, offset: int, line: int, final: bool) -> int:
    """Note the bytes that are no text; gives how many are judged: the last character may go on in the next piece."""
    noted = 0

    def note(at: int, what: str) -> None:
        nonlocal noted
        noted += 1
        if noted > SHOWN:  # counting lines for each of a million would take hours
            places.add_more(1)
        else:
            places.add(f"byte {offset + at + 1:,} of the file {what}.", line=line + data.count(b"\n", 0, at))

    def skip(error: UnicodeError) -> tuple[str, int]:
        assert isinstance(error, UnicodeDecodeError)  # noqa: S101  (the only one that decoding raises)
        note(error.start, f"(0x{data[error.start]:02x}) is not UTF-8")
        return "", error.end

    codecs.register_error(_NOTING, skip)
    consumed = codecs.utf_8_decode(data, _NOTING, final)[1]
    at = data.find(b"\x00", 0, consumed)
    if at >= 0:
        note(at, "is NUL, which no text holds")
        places.add_more(data.count(b"\x00", at + 1, consumed))
    return consumed
