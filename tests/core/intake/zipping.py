"""Zips of pictures, good and evil, made for tests."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

from PIL import Image


def picture(*, size: tuple[int, int] = (6, 4), mode: str = "RGB", colour: object = 0, kind: str = "PNG") -> bytes:
    """A picture of one colour; `size` is (width, height) as Pillow has it."""
    made = io.BytesIO()
    Image.new(mode, size, colour).save(made, kind)  # type: ignore[arg-type]
    return made.getvalue()


def zipped(path: Path, files: Mapping[str, bytes], *, compression: int = zipfile.ZIP_DEFLATED) -> Path:
    """A zip at `path` with these files."""
    with zipfile.ZipFile(path, "w", compression) as made:
        for name, content in files.items():
            made.writestr(zipfile.ZipInfo(name), content, compression)
    return path


def pets(**more: bytes) -> dict[str, bytes]:
    """Two cats and a dog, and what else a test puts beside them."""
    return {"cats/1.png": picture(), "cats/2.png": picture(), "dogs/1.png": picture(), **more}


def header_only_png(width: int, height: int) -> bytes:
    """A PNG that says it is large and holds next to nothing."""
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)),
        (b"IDAT", zlib.compress(b"")),
        (b"IEND", b""),
    ]
    body = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + body


def overlapping(path: Path, *, copies: int, quoted: bool) -> Path:
    """A zip whose entries share the bytes of one; `quoted`: each has a header whose extra field is the next headers.

    After Fifield, "A better zip bomb", 2019.
    """
    kernel = bytes(1_000_000)
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(kernel) + packer.flush()
    about = struct.pack("<HHHHHIII", 20, 0, 8, 0, 33, zlib.crc32(kernel), len(packed), len(kernel))
    names = [f"cats/{at if quoted else 0:04}.png".encode() for at in range(copies)]
    body, offsets = packed, list[int]()
    for name in reversed(names if quoted else names[:1]):
        body = b"PK\x03\x04" + about + struct.pack("<HH", len(name), len(body) - len(packed)) + name + body
        offsets.append(len(body))
    starts = [len(body) - offset for offset in reversed(offsets)] if quoted else [0] * copies
    directory = b"".join(
        b"PK\x01\x02" + struct.pack("<H", 20) + about + struct.pack("<HHHHHII", len(name), 0, 0, 0, 0, 0, start) + name
        for name, start in zip(names, starts, strict=True)
    )
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, copies, copies, len(directory), len(body), 0)
    path.write_bytes(body + directory + end)
    return path
