"""Which class each picture of a zip belongs to: by the folder it lies in, or by a `labels.csv` with `file,label`."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import PurePosixPath
from zipfile import ZipInfo

from core.intake.archives import BROKEN, Archive, Trouble, Unusable

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif"})
SHEET = "labels.csv"
FORMATS_TOLD = "PNG, JPEG, WEBP, BMP or GIF"
_PARTS = {"train", "training", "val", "valid", "validation", "test", "testing"}
_TOLD_ALONG = ("readme", "license", "licence")
NO_PICTURE = f"it is no picture ({FORMATS_TOLD}) by its name: take it out of the zip, or save it as one of these"
_SHEET_BYTES = 64 << 20
_UNNAMED = "pictures"
"""The one class of those that lie in no folder."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture in the archive and the class it is of."""

    entry: ZipInfo
    label: str


@dataclass(frozen=True, slots=True)
class Labelled:
    """The pictures in the order of their names, and what is wrong with single files."""

    pictures: tuple[Picture, ...]
    troubles: tuple[Trouble, ...]

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes in their order: by number where all are numbers, else by the alphabet."""
        return in_order({picture.label for picture in self.pictures})


def in_order(labels: set[str]) -> tuple[str, ...]:
    """Class 10 behind class 9, where they are numbers."""
    if all(label.isdecimal() for label in labels):
        return tuple(sorted(labels, key=lambda label: (int(label), label)))
    return tuple(sorted(labels))


def labelled(archive: Archive) -> Labelled:
    """The pictures with their classes; raises Unusable when what says which is which is wrong.

    Those of one folder are of one class: there is nothing to tell apart, but they can be predicted, and reconstructed.
    """
    files = [entry for entry in archive.files if not _is_dropping(entry.filename)]
    sheets = [entry for entry in files if PurePosixPath(entry.filename).name.lower() == SHEET]
    pictures = [entry for entry in files if _suffix(entry) in SUFFIXES]
    if not pictures:
        raise Unusable(f"there is no picture in it ({FORMATS_TOLD})")
    if len(sheets) > 1:
        raise Unusable(f"it holds {len(sheets)} files {SHEET}: one tells the classes of all pictures")
    found = _by_sheet(archive, sheets[0], pictures) if sheets else _by_folder(pictures)
    others = tuple(Trouble(entry.filename, NO_PICTURE) for entry in files if _is_other(entry))
    return Labelled(found.pictures, others + found.troubles)


def _by_folder(pictures: Sequence[ZipInfo]) -> Labelled:
    """The class is the first folder in which the pictures' paths differ."""
    folders = [PurePosixPath(entry.filename).parts[:-1] for entry in pictures]
    shared = _shared(folders)
    if all(len(folder) == shared for folder in folders):
        only = folders[0][-1] if shared else _UNNAMED
        return Labelled(tuple(Picture(entry, only) for entry in pictures), ())
    inside = [(entry, folder[shared]) for entry, folder in zip(pictures, folders, strict=True) if len(folder) > shared]
    labels = {label for _, label in inside}
    if {label.lower() for label in labels} <= _PARTS:
        raise Unusable(
            f"its folders {', '.join(sorted(labels))} are parts of a split, not classes: put the class folders side by "
            "side (the spec's split holds some back)"
        )
    stray = (
        Trouble(entry.filename, "it lies in no class folder")
        for entry, folder in zip(pictures, folders, strict=True)
        if len(folder) == shared
    )
    return Labelled(tuple(Picture(entry, label) for entry, label in inside), tuple(stray))


def _shared(folders: Sequence[tuple[str, ...]]) -> int:
    """How many folders from the root all have in common: as many as the first and the last in order have."""
    ends = zip(min(folders), max(folders), strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], ends))


def _by_sheet(archive: Archive, sheet: ZipInfo, pictures: Sequence[ZipInfo]) -> Labelled:
    """The class is what the sheet says; its paths begin where it lies."""
    beside = sheet.filename[: -len(SHEET)]
    by_path = {entry.filename.removeprefix(beside): entry for entry in pictures}
    found: dict[str, Picture] = {}
    troubles: list[Trouble] = []
    for line, path, label in _lines(archive, sheet):
        if wrong := _wrong_line(path, label, found, by_path):
            troubles.append(Trouble(f"{sheet.filename}, line {line}", wrong))
        else:
            found[path] = Picture(by_path[path], label)
    missing = (Trouble(by_path[path].filename, f"{SHEET} does not name it") for path in by_path if path not in found)
    in_names = sorted(found.values(), key=lambda picture: picture.entry.filename)
    return Labelled(tuple(in_names), (*troubles, *([] if troubles else missing)))


def _wrong_line(path: str, label: str, found: dict[str, Picture], by_path: dict[str, ZipInfo]) -> str | None:
    if path not in by_path:
        return f"there is no picture {path!r} in the zip"
    if path in found:
        return f"{path!r} is named before, with the label {found[path].label!r}"
    return None if label else f"{path!r} has no label"


def _lines(archive: Archive, sheet: ZipInfo) -> Iterator[tuple[int, str, str]]:
    """Each row of the sheet: its line, the path and the label."""
    if sheet.file_size > _SHEET_BYTES:
        raise Unusable(f"its {SHEET} is larger than {_SHEET_BYTES >> 20} MB")
    try:
        reader = csv.DictReader(io.StringIO(archive.read(sheet).decode("utf-8-sig"), newline=""), strict=True)
        if not {"file", "label"} <= set(reader.fieldnames or ()):
            raise Unusable(
                f"its {SHEET} has the columns {', '.join(reader.fieldnames or ()) or '(none)'}, not file,label"
            )
        for row in reader:
            path, label = row["file"] or "", row["label"] or ""
            yield reader.line_num, path.strip().removeprefix("./"), label.strip()
    except UnicodeDecodeError as error:
        raise Unusable(f"its {SHEET} is not UTF-8 (byte {error.start})") from error
    except (csv.Error, *BROKEN) as error:
        raise Unusable(f"its {SHEET} cannot be read: {error}") from error


def _is_dropping(name: str) -> bool:
    """Whether an operating system left it there, not a person."""
    steps = PurePosixPath(name).parts
    return any(step.startswith(".") or step == "__MACOSX" for step in steps) or steps[-1].lower() in {
        "thumbs.db",
        "desktop.ini",
    }


def _is_other(entry: ZipInfo) -> bool:
    name = PurePosixPath(entry.filename).name.lower()
    return _suffix(entry) not in SUFFIXES and name != SHEET and not name.startswith(_TOLD_ALONG)


def _suffix(entry: ZipInfo) -> str:
    return PurePosixPath(entry.filename).suffix.lower()
