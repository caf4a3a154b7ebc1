"""Zip files from strangers: every entry's name, place and sizes are judged before any of it is unpacked."""

from __future__ import annotations

import io
import re
import stat
import struct
import unicodedata
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import IO
from zipfile import ZipFile, ZipInfo

from core.intake.limits import Limits

BROKEN = (zipfile.BadZipFile, zipfile.LargeZipFile, EOFError, NotImplementedError, OSError, ValueError, struct.error)
"""What zipfile raises over bytes that are no zip, or that break off."""
NESTED = frozenset({".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar", ".jar", ".zst"})
_ENTRY = b"PK\x01\x02"
_ENTRY_BYTES = 512
"""Of the directory, on average and with its name: more is no set of pictures."""
_TAIL_BYTES = 1 << 17
"""More than the end of a zip takes, with its comment."""
_LOCAL = struct.Struct("<4s22xHH")
_SMALL, _SMALL_WHOLE = 1 << 20, 64 << 20
"""Bytes that an entry, and a whole archive, may unpack to at any ratio: a flat drawing packs well and harms nobody."""
_DRIVE = re.compile(r"[A-Za-z]:")
_KINDS = {0, stat.S_IFREG, stat.S_IFDIR}


class Unusable(Exception):
    """The file as a whole cannot be used; the message goes on behind its name and a colon."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something wrong inside an archive: in which entry (or which line of it), and what."""

    place: str
    message: str


@dataclass(frozen=True, slots=True)
class Archive:
    """An open zip and its files in the order of their names, folders left out; `troubles` are those of its entries."""

    file: ZipFile
    files: tuple[ZipInfo, ...]
    troubles: tuple[Trouble, ...]

    def read(self, entry: ZipInfo) -> bytes:
        """The entry's bytes, no more of them than it declared; raises one of BROKEN when they are damaged."""
        with self.file.open(entry) as opened:
            return opened.read(entry.file_size)


@contextmanager
def opened(path: Path, limits: Limits) -> Iterator[Archive]:
    """The zip at `path`, judged; raises Unusable for what is none, or a bomb."""
    with _Guarded(path, most=limits.zip_entries) as raw, _zip(raw) as file:
        raw.most = None
        entries = file.infolist()
        _judge_sizes(entries, packed=path.stat().st_size, limits=limits)
        _judge_places(raw, entries, end=file.start_dir)
        yield Archive(file, _files(file), (*_odd(entries, limits), *_collisions(entries)))


@contextmanager
def trusted(path: Path) -> Iterator[Archive]:
    """A zip that passed `opened` before, by its SHA-256: a worker need not know the limits that it was judged by."""
    with path.open("rb") as raw, _zip(raw) as file:
        yield Archive(file, _files(file), ())


class _Guarded(io.FileIO):
    """The bytes of a zip; while it is opened, a directory of more than `most` entries is refused, not parsed."""

    def __init__(self, path: Path, *, most: int) -> None:
        super().__init__(path)
        self.most: int | None = most
        self._room = min(path.stat().st_size, most * _ENTRY_BYTES + _TAIL_BYTES)

    def read(self, size: int | None = -1, /) -> bytes:
        """So many bytes; Unusable for a directory that is too large."""
        if self.most is None:
            return super().read(size) or b""
        if size is not None and size > self._room:
            raise Unusable(f"it has more than {self.most:,} entries, or a directory of an odd size")
        found = super().read(self._room if size is None or size < 0 else size) or b""
        if found.count(_ENTRY) > self.most:
            raise Unusable(f"it has more than {self.most:,} entries")
        return found


def _files(file: ZipFile) -> tuple[ZipInfo, ...]:
    return tuple(
        sorted(
            (entry for entry in file.infolist() if not entry.filename.endswith("/")), key=lambda entry: entry.filename
        )
    )


def _zip(raw: IO[bytes]) -> ZipFile:
    try:
        return ZipFile(raw)
    except BROKEN as error:
        raise Unusable(f"it is no zip file, or half of one ({error})") from error


def _judge_sizes(entries: Sequence[ZipInfo], *, packed: int, limits: Limits) -> None:
    """Refuse a bomb by what its directory declares; no entry is read beyond that."""
    total = sum(entry.file_size for entry in entries)
    if total > limits.zip_bytes:
        raise Unusable(f"it unpacks to {total:,} bytes; {limits.zip_bytes:,} are allowed")
    if total > max(_SMALL_WHOLE, limits.zip_ratio * packed):
        raise Unusable(f"it unpacks to {total // packed:,} times its size; {limits.zip_ratio} times are allowed")


def _judge_places(raw: _Guarded, entries: Sequence[ZipInfo], *, end: int) -> None:
    """Refuse entries that share bytes: a few kilobytes, read as thousands of files (CVE-2024-0450)."""
    spans = sorted((entry.header_offset, _end(raw, entry)) for entry in entries)
    for (_, behind), (start, _) in pairwise([*spans, (end, end)]):
        if behind > start:
            raise Unusable("some of its entries overlap: it is made to unpack to far more than it holds")


def _end(raw: _Guarded, entry: ZipInfo) -> int:
    try:
        raw.seek(entry.header_offset)
        signature, name, extra = _LOCAL.unpack(raw.read(_LOCAL.size))
    except BROKEN as error:
        raise Unusable(f"the place of {entry.filename!r} in it is wrong") from error
    if signature != b"PK\x03\x04":
        raise Unusable(f"the place of {entry.filename!r} in it is wrong")
    return int(entry.header_offset + _LOCAL.size + name + extra + entry.compress_size)


def _odd(entries: Sequence[ZipInfo], limits: Limits) -> Iterator[Trouble]:
    for entry in entries:
        if wrong := _wrong_name(entry) or _wrong_kind(entry) or _wrong_size(entry, limits):
            yield Trouble(entry.orig_filename, wrong)


def _wrong_name(entry: ZipInfo) -> str | None:
    name = entry.orig_filename
    if any(unicodedata.category(letter) in {"Cc", "Cs"} for letter in name):
        return "its name holds control characters"
    if "\\" in name:
        return "its name holds a backslash: folders are parted by /"
    if name.startswith("/") or _DRIVE.match(name):
        return "its name is an absolute path"
    steps = name.removesuffix("/").split("/")
    if any(step in {"", ".", ".."} for step in steps):
        return "its name leads out of the archive, or nowhere"
    return "its name is too long" if len(name.encode()) > 1024 else None


def _wrong_kind(entry: ZipInfo) -> str | None:
    if stat.S_IFMT(entry.external_attr >> 16) not in _KINDS:
        return "it is a link or a device, not a file"
    if entry.flag_bits & 0x1:
        return "it is encrypted"
    if entry.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        return "it is packed by a method other than deflate"
    if PurePosixPath(entry.filename).suffix.lower() in NESTED:
        return "it is an archive in the archive: unpack it before you zip"
    return None


def _wrong_size(entry: ZipInfo, limits: Limits) -> str | None:
    if entry.file_size > max(_SMALL, limits.zip_ratio * entry.compress_size):
        times = entry.file_size // max(1, entry.compress_size)
        return f"it unpacks to {times:,} times its size; {limits.zip_ratio} times are allowed"
    return None


def _collisions(entries: Sequence[ZipInfo]) -> Iterator[Trouble]:
    """Names that are one file on some disk: twice the same, or told apart by case or accents' spelling alone."""
    seen: dict[str, str] = {}
    for entry in entries:
        name = entry.filename.removesuffix("/")
        first = seen.setdefault(unicodedata.normalize("NFC", name).casefold(), entry.filename)
        if first is not entry.filename:
            yield Trouble(entry.filename, f"there is {first!r} already, which is the same name to some disks")
