"""Forms as clients send them, and what looking into their files finds, without a process for each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from core.dataset import Column, Profile
from core.errors import DataRefused
from core.intake import Limits
from core.job import Problem

BOUNDARY = "b0undary"
TYPE = f"multipart/form-data; boundary={BOUNDARY}"
CSV = b"age,species\n1,cat\n2,dog\n,=cat\n"
COLUMNS = (
    Column("age", "number", missing=1, distinct=2, minimum=1.0, maximum=2.0, mean=1.5, examples=("1", "2")),
    Column("species", "category", missing=0, distinct=3, examples=("cat",), counts={"cat": 40, "dog": 30, "=cat": 20}),
)
PROFILE = Profile("table", "csv", 90, columns=COLUMNS)
ARRAYS = Profile("arrays", "npz", 4, shape=(28, 28))


def part(field: str, content: bytes, *, filename: str | None = None) -> bytes:
    """One part of a form, with the boundary before it."""
    named = "" if filename is None else f'; filename="{filename}"'
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{field}"{named}\r\n\r\n'
    return head.encode() + content + b"\r\n"


def form(*parts: bytes) -> bytes:
    """A whole form."""
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


class Looks:
    """Stands in for the look into a file: finds the same in each, and refuses what begins with `bad`."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.limits: list[Limits] = []
        self.profile = PROFILE

    def inspect_file(self, path: Path, *, filename: str, limits: Limits) -> Profile:
        self.seen.append(filename)
        self.limits.append(limits)
        if path.read_bytes()[:3] == b"bad":
            problems = [Problem(f"/file/rows/{row}", f"Row {row} has 6 cells.") for row in range(1, 21)]
            raise DataRefused(problems, count=37)
        return self.profile

    def first_rows(self, path: Path, kind: str, n: int, **_: Any) -> tuple[list[str], list[list[Any]]]:
        assert path.is_file()
        assert kind == "csv"
        rows: list[list[Any]] = [[1.0, "cat"], [2.5, "dog"], [None, "=cat"], [-1.0, "-1"], [3.0, "a\tb"]]
        return ["age", "species"], rows[:n]


def messages(body: Iterable[bytes], *, vanishes: bool = False) -> Iterator[dict[str, Any]]:
    """What an ASGI server hands over: the body in pieces, then its end, or that the client is gone."""
    for piece in body:
        yield {"type": "http.request", "body": piece, "more_body": True}
    yield {"type": "http.disconnect"} if vanishes else {"type": "http.request", "body": b"", "more_body": False}
