"""A zip of pictures, looked at without unpacking it: classes, counts, sizes, and what is wrong with which picture."""

from __future__ import annotations

import io
import warnings
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from zipfile import ZipInfo

from PIL import Image, UnidentifiedImageError

from core.dataset import Column, Profile
from core.errors import DataRefused
from core.intake.archives import BROKEN, Archive, Trouble, Unusable, opened
from core.intake.labels import FORMATS_TOLD, Picture, labelled
from core.intake.limits import Limits
from core.intake.places import SHOWN, shown
from core.job import Problem

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF")
DAMAGED = (*BROKEN, SyntaxError, TypeError, LookupError, ArithmeticError, RuntimeError, AttributeError, zlib.error)
"""What Pillow's readers raise over bytes that are no picture, or half of one."""
BOMBS = (Image.DecompressionBombError, Image.DecompressionBombWarning)
_GREY = frozenset({"1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L"})
_TURNED = frozenset({5, 6, 7, 8})
"""EXIF orientations in which width and height change places."""
_ORIENTATION = 0x0112
_PIXEL_BYTES = 8
"""Of RGBA with 16 bits each: a file that is larger than all its pixels is something else."""
_HEAD_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Look:
    """What a picture's header says: its size in pixels, the right way up, and whether it has colours."""

    height: int
    width: int
    is_grey: bool


def inspect(path: Path, limits: Limits) -> Profile:
    """What the zip at `path` holds; the one column, `label`, counts the pictures of each class.

    `shape` is (channels, height, width): grey if all are, and of the size that most pictures have.
    Raises DataRefused naming the entries that are wrong.
    """
    try:
        with opened(path, limits) as archive:
            _refuse(archive.troubles)
            found = labelled(archive)
            _refuse(found.troubles)
            looks, troubles = _looks(archive, found.pictures, limits)
    except Unusable as error:
        raise DataRefused([Problem("/file", f"The zip cannot be used: {error}.")]) from error
    _refuse(troubles)
    counts = Counter(picture.label for picture in found.pictures)
    label = Column(
        "label", "category", missing=0, distinct=len(counts), counts={name: counts[name] for name in found.classes}
    )
    return Profile("images", "zip", len(looks), (label,), shape=_shape(looks), classes=found.classes)


def first_rows(path: Path, limits: Limits, count: int) -> tuple[list[str], list[list[str]]]:
    """The names and classes of the first pictures, in columns `file` and `label`."""
    with opened(path, limits) as archive:
        rows = [[one.entry.filename, one.label] for one in islice(labelled(archive).pictures, count)]
    return ["file", "label"], rows


def look(content: bytes, *, most_pixels: int) -> Look:
    """Read the header and the checksums, not the pixels; raises one of BOMBS or DAMAGED."""
    with careful(most_pixels), Image.open(io.BytesIO(content), formats=FORMATS) as image:
        width, height = image.size
        if image.format == "JPEG" and image.getexif().get(_ORIENTATION) in _TURNED:
            width, height = height, width
        found = Look(height, width, _is_grey(image))
        image.verify()
    return found


def _is_grey(image: Image.Image) -> bool:
    if image.mode != "P":
        return image.mode in _GREY
    colours = image.getpalette("RGB") or []
    return colours[0::3] == colours[1::3] == colours[2::3]


@contextmanager
def careful(most_pixels: int | None) -> Iterator[None]:
    """Pillow with a limit that it keeps: left alone it only warns of a picture that takes gigabytes. None: no limit."""
    before = Image.MAX_IMAGE_PIXELS
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        Image.MAX_IMAGE_PIXELS = most_pixels
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = before


def _looks(archive: Archive, pictures: Sequence[Picture], limits: Limits) -> tuple[list[Look], list[Trouble]]:
    looks: list[Look] = []
    troubles: list[Trouble] = []
    for picture in pictures:
        try:
            looks.append(_seen(archive, picture.entry, limits.pixels))
        except BOMBS:
            troubles.append(Trouble(picture.entry.filename, f"it has more than {limits.pixels:,} pixels"))
        except UnidentifiedImageError:
            troubles.append(Trouble(picture.entry.filename, f"its content is no picture ({FORMATS_TOLD})"))
        except DAMAGED as error:
            troubles.append(Trouble(picture.entry.filename, f"it is damaged ({error})"))
    return looks, troubles


def _seen(archive: Archive, entry: ZipInfo, most_pixels: int) -> Look:
    if entry.file_size > _PIXEL_BYTES * most_pixels + _HEAD_BYTES:
        raise Image.DecompressionBombError("the file is larger than the pixels allowed")
    return look(archive.read(entry), most_pixels=most_pixels)


def _shape(looks: Sequence[Look]) -> tuple[int, int, int]:
    """Grey only where all are; of sizes that are equally common the smaller one."""
    sizes = Counter((one.height, one.width) for one in looks)
    height, width = max(sizes, key=lambda size: (sizes[size], -size[0] * size[1], size))
    return (1 if all(one.is_grey for one in looks) else 3), height, width


def _refuse(troubles: Sequence[Trouble]) -> None:
    """Raise DataRefused over the first of them, if there are any."""
    if troubles:
        first = [Problem(_pointer(one.place), f"{shown(one.place)}: {one.message}.") for one in troubles[:SHOWN]]
        raise DataRefused(first, count=len(troubles))


def _pointer(entry: str) -> str:
    return "/file/entries/" + entry[:100].replace("~", "~0").replace("/", "~1")
