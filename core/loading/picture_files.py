"""The pictures of a zip that stay in it: decoded when they are asked for, and forgotten."""

from __future__ import annotations

import functools
import os
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.dataset import Facts
from core.errors import InvalidData
from core.intake.archives import BROKEN, Archive, Unusable, trusted
from core.intake.labels import labelled
from core.parts.uploads import Resize


@dataclass(frozen=True)
class PictureFiles:
    """Pictures by their `names` in the zip, decoded to `shape` (channels, height, width); y as of `Arrays`.

    It can be sent to another process, which opens the zip anew: two that share an open file move each other's place.
    """

    path: Path
    names: tuple[str, ...]
    shape: tuple[int, int, int]
    y: NDArray[np.int64] | NDArray[np.float32]
    class_names: tuple[str, ...] | None
    resize: Resize = "stretch"

    def pictures(self, rows: NDArray[np.intp]) -> NDArray[np.float32]:
        """These pictures from 0 (black) to 1: `(rows, *shape)`; InvalidData naming those that cannot be read."""
        from PIL import Image

        from core.loading.pictures import decoded

        try:
            archive = _opened(self.path, os.getpid())
            Image.MAX_IMAGE_PIXELS = None  # each was measured when it was uploaded
            entries = [archive.file.getinfo(self.names[row]) for row in rows]
            pixels = decoded(archive, entries, self.shape, resize=self.resize)
        except (Unusable, *BROKEN) as error:
            raise InvalidData(f"The uploaded zip cannot be read: {error}.") from error
        return np.divide(pixels, 255, dtype=np.float32)


def list_pictures(path: Path, facts: Facts, *, resize: Resize = "stretch") -> PictureFiles:
    """The pictures of the zip at `path`, none of them decoded; raises InvalidData for one that cannot be read."""
    from core.loading.pictures import classes_of

    channels, height, width = facts.features
    try:
        with trusted(path) as archive:
            found = labelled(archive)
    except Unusable as error:
        raise InvalidData(f"The uploaded zip cannot be read: {error}.") from error
    names = tuple(picture.entry.filename for picture in found.pictures)
    return PictureFiles(path, names, (channels, height, width), classes_of(found), found.classes, resize)


@functools.lru_cache(maxsize=1)
def _opened(path: Path, process: int) -> Archive:  # noqa: ARG001  (a fork has the cache, but must not share the file)
    return Archive(zipfile.ZipFile(path), (), ())
