"""The files of a form that is whole in memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from core.errors import RowsRefused
from core.job import Problem


@dataclass
class File:
    """A part of the form, with the name that its sender gave the file."""

    name: str = ""
    content: bytes = b""


def files_of(content_type: str, body: bytes) -> Iterator[File]:
    """The parts of the form that are files; raises RowsRefused for what is no form."""
    boundary = parse_options_header(content_type)[1].get(b"boundary")
    if not boundary:
        raise _unreadable("its Content-Type names no boundary")
    reader = _Reader()
    try:
        parser = MultipartParser(boundary, reader.calls())  # type: ignore[arg-type]
        parser.write(body)
        parser.finalize()
    except FormParserError as error:
        raise _unreadable(str(error)) from None
    return (file for file in reader.files if file.name)


class _Reader:
    """Gathers the parts as the parser tells them."""

    def __init__(self) -> None:
        self.files: list[File] = []
        self._header, self._value, self._pieces = bytearray(), bytearray(), list[bytes]()

    def calls(self) -> dict[str, object]:
        return {
            "on_part_begin": lambda: self.files.append(File()),
            "on_header_field": lambda data, start, end: self._header.extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
            "on_header_end": self._end_header,
            "on_part_data": lambda data, start, end: self._pieces.append(data[start:end]),
            "on_part_end": self._end_part,
        }

    def _end_header(self) -> None:
        if bytes(self._header).lower() == b"content-disposition":
            options = parse_options_header(bytes(self._value))[1]
            self.files[-1].name = options.get(b"filename", b"").decode("utf-8", "replace")
        self._header.clear()
        self._value.clear()

    def _end_part(self) -> None:
        self.files[-1].content = b"".join(self._pieces)
        self._pieces.clear()


def _unreadable(why: str) -> RowsRefused:
    return RowsRefused([Problem("", f"The form cannot be read: {why}.")])
