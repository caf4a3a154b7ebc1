"""Pictures from the uploaded zip to arrays: decoded in the training process, straight from the archive, and kept."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from zipfile import ZipInfo

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from core.data import Arrays
from core.dataset import Facts
from core.errors import InvalidData
from core.files import written
from core.intake.archives import Archive, Unusable, trusted
from core.intake.labels import Labelled, labelled
from core.intake.pictures import DAMAGED, FORMATS, careful
from core.parts.uploads import Resize

Pixels = NDArray[np.uint8]

KEPT = 8
"""Sets of decoded pictures that stay in the cache; the one unused for longest goes first."""
KEPT_BYTES = 2 << 30
"""A set with more bytes than that is decoded anew by each job."""
_TOLD = 5
_UNREADABLE = (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile)


def read(path: Path, facts: Facts, *, cache: Path | None, resize: Resize = "stretch") -> Arrays:
    """The pictures of the zip at `path`, from 0 (black) to 1: `(samples, channels, height, width)`, and their classes.

    Each is brought to the height and width of `facts` as `resize` says; what is transparent becomes white, colours
    become grey where `facts` has one channel, and a JPEG is turned as its EXIF says. The order is that of the names in
    the zip. Raises InvalidData naming the pictures that cannot be read.
    """
    channels, height, width = facts.features
    kept = cache / f"pictures-{facts.sha256}-{resize}-{channels}x{height}x{width}.npz" if cache else None
    x, y, names = _remembered(kept) or _remember(kept, _unpacked(path, (channels, height, width), resize))
    return Arrays(np.divide(x, 255, dtype=np.float32), y, class_names=names)


Found = tuple[Pixels, NDArray[np.int64], tuple[str, ...]]


def pixels(content: bytes, *, shape: tuple[int, int, int], resize: Resize = "stretch") -> Pixels:
    """One picture as uint8 of `shape` (channels, height, width); raises one of DAMAGED."""
    channels, height, width = shape
    with Image.open(io.BytesIO(content), formats=FORMATS) as opened:
        opened.load()
        upright = ImageOps.exif_transpose(opened) if opened.format == "JPEG" else opened
        flat = _flat(upright).convert("L" if channels == 1 else "RGB")
    if flat.size != (width, height):
        flat = _RESIZED[resize](flat, (width, height))
    return np.asarray(flat).reshape(height, width, channels).transpose(2, 0, 1)


def _stretched(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    return image.resize(size, Image.Resampling.BILINEAR)


def _cropped(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    return ImageOps.fit(image, size, Image.Resampling.BILINEAR)


def _padded(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    return ImageOps.pad(image, size, Image.Resampling.BILINEAR)


_RESIZED: Mapping[Resize, Callable[[Image.Image, tuple[int, int]], Image.Image]] = {
    "stretch": _stretched, "crop": _cropped, "pad": _padded,
}  # fmt: skip


def _flat(image: Image.Image) -> Image.Image:
    """The picture without transparency, on white, and with 8 bits a channel."""
    if image.mode.startswith("I"):  # 16 bits of grey: Pillow's own way to 8 cuts everything above 255 off
        return Image.fromarray((np.asarray(image).astype(np.uint32) >> 8).clip(0, 255).astype(np.uint8))
    if not image.has_transparency_data:
        return image
    clear = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", clear.size, "white"), clear)


def _unpacked(path: Path, shape: tuple[int, int, int], resize: Resize) -> Found:
    try:
        with trusted(path) as archive, careful(None):
            found = labelled(archive)
            entries = [picture.entry for picture in found.pictures]
            return decoded(archive, entries, shape, resize=resize), classes_of(found), found.classes
    except Unusable as error:
        raise InvalidData(f"The uploaded zip cannot be read: {error}.") from error


def decoded(
    archive: Archive, entries: Sequence[ZipInfo], shape: tuple[int, int, int], *, resize: Resize = "stretch"
) -> Pixels:
    """These pictures as uint8 `(pictures, *shape)`; raises InvalidData naming those that cannot be read."""
    x = np.empty((len(entries), *shape), np.uint8)
    broken: list[str] = []
    for place, entry in enumerate(entries):
        try:
            x[place] = pixels(archive.read(entry), shape=shape, resize=resize)
        except DAMAGED as error:
            broken.append(f"{entry.filename} ({error})")
    if broken:
        raise InvalidData(
            _told(broken, of=len(x)), hint="Take these out of the zip, or mend them; then upload it again."
        )
    return x


def _told(broken: Sequence[str], *, of: int) -> str:
    more = f" and {len(broken) - _TOLD:,} more" if len(broken) > _TOLD else ""
    return f"{len(broken):,} of {of:,} pictures cannot be decoded: {', '.join(broken[:_TOLD])}{more}."


def classes_of(found: Labelled) -> NDArray[np.int64]:
    """Each picture's class."""
    number = {label: place for place, label in enumerate(found.classes)}
    return np.array([number[picture.label] for picture in found.pictures], np.int64)


def _remembered(kept: Path | None) -> Found | None:
    if kept is None:
        return None
    with suppress(*_UNREADABLE):
        with kept.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            found = file["x"], file["y"], tuple(file["class_names"].tolist())
        os.utime(kept)
        return found
    return None


def _remember(kept: Path | None, found: Found) -> Found:
    x, y, names = found
    if kept is None or x.nbytes > KEPT_BYTES:
        return found
    with suppress(OSError):  # a folder that cannot be written costs time only
        with written(kept) as draft, draft.open("wb") as file:
            np.savez(file, x=x, y=y, class_names=np.array(names, str))
        by_age = sorted(kept.parent.glob("pictures-*.npz"), key=lambda path: path.stat().st_mtime)
        for old in by_age[:-KEPT]:
            old.unlink(missing_ok=True)
    return found
