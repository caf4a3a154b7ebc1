"""The folders of a service: there, shared, writable, and with room."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import make_url

from core import artifacts
from trainwire.doctor.findings import Finding, broken, ok, remark
from trainwire.doctor.scene import Scene

LITTLE_BYTES = 10**9


def folders(scene: Scene) -> Iterator[Finding]:
    """The artifacts folder, and that of the database where it is a file."""
    yield from _artifacts(scene)
    if database := _database_folder(scene):
        yield from _room("database folder", database)


def _artifacts(scene: Scene) -> Iterator[Finding]:
    root = scene.settings.artifacts
    if not root.exists() and scene.is_embedded:
        yield from _room("artifacts", root)
    elif not (root / artifacts.MARKER).is_file():
        seen = f"{root.absolute()} has no file {artifacts.MARKER}, so it may not be the folder that all share"
        prepare = scene.up if scene.is_embedded else "trainwire migrate"
        remedy = f"Mount that folder here, or set TRAINWIRE_ARTIFACTS to it; `{prepare}` prepares a new one."
        yield broken("artifacts", seen, remedy)
    else:
        yield from _room("artifacts", root)


def _room(name: str, folder: Path) -> Iterator[Finding]:
    there = next(place for place in (folder.absolute(), *folder.absolute().parents) if place.exists())
    free = shutil.disk_usage(there).free
    seen = f"{folder}, {free / 1e9:,.1f} GB free"
    if not there.is_dir():
        yield broken(name, f"{there} is a file, not a folder", "Move it away, or choose another folder.")
    elif not os.access(there, os.W_OK | os.X_OK):
        yield broken(name, f"{folder} cannot be written by this user", f"Make {there} writable, or choose another.")
    elif not artifacts.has_space(there):
        yield broken(name, seen, "Free some space there: until then jobs pause with storage_full.")
    elif free < LITTLE_BYTES:
        yield remark(
            name, seen, "Free some space; TRAINWIRE_KEEP_JOBS_S and TRAINWIRE_KEEP_CHECKPOINTS_S do it for you."
        )
    else:
        yield ok(name, seen if folder.exists() else f"{seen}; not made yet")


def _database_folder(scene: Scene) -> Path | None:
    if not scene.settings.database_url.startswith("sqlite"):
        return None
    file = make_url(scene.settings.database_url).database
    return Path(file).parent if file else None
