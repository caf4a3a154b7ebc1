"""The records of a CSV or TSV, cut and checked block by block, before anything parses them.

Quotes and line ends are found by position, a block at a time, so that 10 GB take minutes and a few blocks of memory.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

import numpy as np
from numpy.typing import NDArray

from core.intake.limits import Limits
from core.intake.places import SHOWN, Places, refused

BLOCK, LONGEST = 4 << 20, 16 << 20
"""Bytes read at a time, and the most that one record may have."""
BOM = codecs.BOM_UTF8
_NEWLINE, _RETURN, _QUOTE = b'\n\r"'

Positions = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Block:
    """Whole records: their bytes, and where in them the quotes and, outside quotes, the separators and ends lie."""

    data: bytes
    raw: NDArray[np.uint8]
    quotes: Positions
    separators: Positions
    ends: Positions
    first_row: int
    """Of the block's first record; the header is row 0."""
    first_line: int

    @property
    def starts(self) -> Positions:
        """Where each record begins."""
        return np.concatenate([np.zeros(1, np.int64), self.ends[:-1] + 1])

    def row(self, position: int) -> tuple[int, int]:
        """The record that holds the byte at `position`, and the line where the record begins."""
        index = int(np.searchsorted(self.ends, position))
        start = int(self.ends[index - 1]) + 1 if index else 0
        return self.first_row + index, self.first_line + self.data.count(b"\n", 0, start)


def blocks(file: IO[bytes], separator: int) -> Iterator[Block]:
    """The file's records in blocks, the header among the first. Raises DataRefused for one that never ends."""
    held, row, line = b"", 0, 1
    while True:
        more = file.read(max(BLOCK, len(held)))
        held += more
        if not more and held:
            held += b"\n"
        block = _cut(held, separator, first_row=row, first_line=line)
        if len(block.ends):
            yield block
            row += len(block.ends)
            line += block.data.count(b"\n")
            held = held[len(block.data) :]
        if not more or len(held) > LONGEST:
            break
    if held:
        raise _endless(held, row, line)


def _cut(held: bytes, separator: int, *, first_row: int, first_line: int) -> Block:
    raw = np.frombuffer(held, np.uint8)
    quotes = np.flatnonzero(raw == _QUOTE)
    ends = _outside(quotes, np.flatnonzero(raw == _NEWLINE))
    size = int(ends[-1]) + 1 if len(ends) else 0
    separators = _outside(quotes, np.flatnonzero(raw[:size] == separator))
    return Block(held[:size], raw[:size], quotes[quotes < size], separators, ends, first_row, first_line)


def _outside(quotes: Positions, positions: Positions) -> Positions:
    """Those positions that an even number of quotes precedes."""
    return positions[np.searchsorted(quotes, positions) % 2 == 0] if len(quotes) else positions


def _endless(held: bytes, row: int, line: int) -> Exception:
    if b'"' in held:
        line += held.count(b"\n", 0, held.index(b'"'))
        return refused("a quote that begins here is never closed.", row=row or None, line=line)
    return refused(f"the row is longer than {LONGEST >> 20} MB.", row=row or None, line=line)


def check(block: Block, *, names: list[str], limits: Limits, places: Places) -> None:
    """Note what is wrong with the block's records. Raises DataRefused for a quote that would change what follows."""
    _check_quotes(block, places)
    _check_text(block, names, places)
    _check_widths(block, len(names), places)
    _check_lengths(block, names, limits, places)


def _check_quotes(block: Block, places: Places) -> None:
    """A quoted cell is quoted from its beginning to its end; quotes in it are doubled (RFC 4180)."""
    if not len(block.quotes):
        return
    padded = np.concatenate([[_NEWLINE], block.raw, [_NEWLINE]]).astype(np.uint8)
    edges = np.zeros(256, bool)
    edges[[_NEWLINE, _QUOTE, _separator(block)]] = True
    before = edges[padded[block.quotes[::2]]]
    edges[_RETURN] = True
    after = edges[padded[block.quotes[1::2] + 2]]
    wrong = np.concatenate([block.quotes[::2][~before], block.quotes[1::2][~after]])
    if len(wrong):
        row, line = block.row(int(wrong.min()))
        places.add(
            'a quote stands inside a cell: put the cell in quotes and write the quote twice ("").', row=row, line=line
        )
        places.judge()


def _separator(block: Block) -> int:
    return int(block.raw[block.separators[0]]) if len(block.separators) else _NEWLINE


def _check_text(block: Block, names: list[str], places: Places) -> None:
    try:
        block.data.decode()
    except UnicodeDecodeError:
        broken = _broken(block.data)
        message = "the text is not UTF-8: save the file as UTF-8."
        _note_cells(block, broken[_first_in_row(block, broken)], message, names=names, places=places)


def _broken(data: bytes) -> Positions:
    """Where bytes are no UTF-8."""
    found: list[int] = []

    def note(error: UnicodeError) -> tuple[str, int]:
        assert isinstance(error, UnicodeDecodeError)  # noqa: S101 - decoding raises no other
        found.append(error.start)
        return "", error.end

    codecs.register_error("trainwire.note", note)
    data.decode(errors="trainwire.note")
    return np.array(found, np.int64)


def _first_in_row(block: Block, positions: Positions) -> Positions:
    return np.unique(np.searchsorted(block.ends, positions), return_index=True)[1]


def _check_widths(block: Block, width: int, places: Places) -> None:
    """Every record has as many cells as the header; an empty line is no record."""
    cells = np.diff(np.searchsorted(block.separators, block.ends), prepend=0) + 1
    wrong = np.flatnonzero(cells != width)
    wrong = wrong[~_empty(block, wrong)]
    for index in wrong[:SHOWN].tolist():
        row, line = block.row(int(block.ends[index]))
        places.add(f"the row has {cells[index]:,} cells, the header {width:,}.", row=row or None, line=line)
    places.add_more(max(0, len(wrong) - SHOWN))


def _empty(block: Block, records: Positions) -> NDArray[np.bool_]:
    starts, ends = block.starts[records], block.ends[records]
    empty: NDArray[np.bool_] = (starts == ends) | ((ends - starts == 1) & (block.raw[starts] == _RETURN))
    return empty


def _check_lengths(block: Block, names: list[str], limits: Limits, places: Places) -> None:
    edges = np.sort(np.concatenate([block.separators, block.ends]))
    long = edges[np.diff(edges, prepend=-1) - 1 > limits.cell_bytes]
    _note_cells(block, long, f"the cell has more than {limits.cell_bytes:,} bytes.", names=names, places=places)


def _note_cells(block: Block, positions: Positions, message: str, *, names: list[str], places: Places) -> None:
    """Note the message for the cell at each position."""
    for position in positions[:SHOWN].tolist():
        row, line = block.row(position)
        index = _cell(block, position)
        places.add(message, row=row or None, line=line, column=names[index] if index < len(names) else None)
    places.add_more(max(0, len(positions) - SHOWN))


def _cell(block: Block, position: int) -> int:
    """In which cell of its record the byte at `position` lies, counted from 0."""
    record = int(np.searchsorted(block.ends, position))
    start = int(block.ends[record - 1]) + 1 if record else 0
    return int(np.searchsorted(block.separators, position) - np.searchsorted(block.separators, start))
