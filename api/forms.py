"""A form with a file, read as it comes: the file goes to the disk, nothing of it stays in memory."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException

from core.checks import nearest, shown
from core.datafiles import Incoming
from core.errors import BadRequest

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

FIELDS = ("file", "name")
MOST_PARTS = 8
NAME = r"^[^\x00-\x1f\x7f]{1,200}$"
OVERHEAD = 65_536
"""Bytes of a form beside its file, at most."""
_NAME_BYTES = 1024
_FILENAME_CHARACTERS = 255
_NO_FORM = "Send the file as multipart/form-data, for example with: curl -F file=@table.csv"


def boundary_of(content_type: str) -> bytes:
    """What parts the form; a 415 for what is none."""
    from python_multipart.multipart import parse_options_header

    kind, options = parse_options_header(content_type)
    if kind != b"multipart/form-data" or not options.get(b"boundary"):
        raise HTTPException(415, _NO_FORM)
    return options[b"boundary"]


class Form:
    """The fields `file` and `name` of a form, taken in piece by piece; `close` it to remove a file that was not kept.

    Raises BadRequest for another form, a 413 for a file over `most` bytes, and what writing it raises.
    """

    def __init__(self, root: Path, boundary: bytes, *, most: int) -> None:
        from python_multipart.exceptions import FormParserError
        from python_multipart.multipart import MultipartParser

        self._root = root
        self._most = most
        self._broken = FormParserError
        self._part = _Part()
        self._parts = 0
        self._name: bytearray | None = None
        self._whole = False
        self._file: Incoming | None = None
        self.filename = ""
        try:
            self._parser = MultipartParser(boundary, self._calls())
        except FormParserError as error:
            raise _unreadable(error) from error

    def take(self, data: bytes) -> None:
        """Read the next bytes."""
        try:
            self._parser.write(data)
        except self._broken as error:
            raise _unreadable(error) from error

    def finish(self) -> Incoming:
        """The file, once all of it came and lies on the disk."""
        if not self._whole:
            raise BadRequest("The form breaks off before its end; send it again, whole.", param="/file")
        if self._file is None:
            raise BadRequest("The form has no field `file`. " + _NO_FORM, param="/file")
        self._file.sync()
        return self._file

    @property
    def name(self) -> str | None:
        """The name that the dataset is to have, if it is to have one."""
        if self._name is None:
            return None
        text = self._name.decode("utf-8", "replace").strip()
        if not re.fullmatch(NAME, text):
            raise BadRequest("`name` has 1 to 200 characters, none of them a control character.", param="/name")
        return text

    def close(self) -> None:
        """Let go of the file, unless it was kept."""
        if self._file is not None:
            self._file.close()

    def _calls(self) -> MultipartCallbacks:
        return {
            "on_part_begin": self._begin,
            "on_header_field": self._header,
            "on_header_value": self._value,
            "on_header_end": self._end_header,
            "on_headers_finished": self._open,
            "on_part_data": self._write,
            "on_end": self._end,
        }

    def _begin(self) -> None:
        self._part = _Part()
        self._parts += 1
        if self._parts > MOST_PARTS:
            raise BadRequest("The form has too many parts: `file` and `name` are all it may have.", param="")

    def _header(self, data: bytes, start: int, end: int) -> None:
        self._part.header += data[start:end]

    def _value(self, data: bytes, start: int, end: int) -> None:
        self._part.value += data[start:end]

    def _end_header(self) -> None:
        self._part.end_header()

    def _open(self) -> None:
        field = self._part.option(b"name")
        if field not in FIELDS:
            told = f"{shown(field)} is no field of this form.{nearest(field, FIELDS)}"
            raise BadRequest(told, param=f"/{field[:100]}")
        if (self._file if field == "file" else self._name) is not None:
            raise BadRequest(f"`{field}` is given twice; which one holds?", param=f"/{field}")
        self._part.field = field
        if field == "name":
            self._name = bytearray()
            return
        self.filename = _bare(self._part.option(b"filename"))
        if not self.filename:
            raise BadRequest("`file` must be a file with a name. " + _NO_FORM, param="/file")
        self._file = Incoming(self._root)

    def _write(self, data: bytes, start: int, end: int) -> None:
        if self._part.field == "file" and self._file is not None:
            if self._file.bytes + end - start > self._most:
                raise HTTPException(413, f"The file has more than {self._most:,} bytes.")
            self._file.write(memoryview(data)[start:end])
        elif self._name is not None:
            self._name.extend(data[start:end])
            if len(self._name) > _NAME_BYTES:
                raise BadRequest("`name` has at most 200 characters.", param="/name")

    def _end(self) -> None:
        self._whole = True


class _Part:
    """A part of a form: its headers, and which field it is."""

    def __init__(self) -> None:
        self.field = ""
        self.header = bytearray()
        self.value = bytearray()
        self._disposition = b""

    def end_header(self) -> None:
        if bytes(self.header).lower() == b"content-disposition":
            self._disposition = bytes(self.value)
        self.header.clear()
        self.value.clear()

    def option(self, name: bytes) -> str:
        from python_multipart.multipart import parse_options_header

        return parse_options_header(self._disposition)[1].get(name, b"").decode("utf-8", "replace")


def _bare(filename: str) -> str:
    """The name without folders and control characters, which some clients send."""
    last = re.split(r"[/\\]", filename)[-1]
    kept = "".join(letter for letter in last if unicodedata.category(letter) not in {"Cc", "Cs"})
    return kept.strip()[-_FILENAME_CHARACTERS:]


def _unreadable(error: Exception) -> BadRequest:
    return BadRequest(f"The form cannot be read: {error}.", param="")
