"""Files of uploads come and go whole, and no crash leaves one that nobody knows."""

from __future__ import annotations

import errno
import hashlib
import os
import time
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from core import datafiles
from core.artifacts import dataset_file
from core.datafiles import Incoming, settling
from core.errors import StorageFull, Unavailable, WrongStatus

DATA = b"a,b\n1,2\n" * 1000
SHA256 = hashlib.sha256(DATA).hexdigest()
LONG_AGO = time.time() - 7200


class Rows:
    """A store with uploads of these hashes."""

    def __init__(self, *hashes: str) -> None:
        self.hashes = set(hashes)

    def stored_datasets(self, hashes: Collection[str]) -> set[str]:
        return self.hashes & set(hashes)


class Crash(BaseException):
    """The process ends here."""


def incoming(root: Path) -> Incoming:
    file = Incoming(root)
    file.write(DATA[:100])
    file.write(memoryview(DATA)[100:])
    file.sync()
    return file


def kept(root: Path) -> None:
    """An upload whose row was entered, in whichever database."""
    file = incoming(root)
    with settling(root, file.sha256):
        file.keep()
    file.close()


def files(root: Path) -> set[str]:
    """What lies there, but for the lock."""
    return {str(found.relative_to(root)) for found in root.rglob("*") if found.is_file()} - {"datasets/.lock"}


def crashed(root: Path) -> None:
    """Somebody died with the file in its place and no row."""
    file = incoming(root)
    with suppress(Crash), settling(root, file.sha256):
        file.keep()
        raise Crash
    file.close()


def test_a_file_that_is_kept_lies_under_its_hash_and_nothing_else_stays(tmp_path: Path) -> None:
    file = incoming(tmp_path)
    assert (file.sha256, file.bytes) == (SHA256, len(DATA))
    kept(tmp_path)
    file.close()
    assert files(tmp_path) == {f"datasets/{SHA256}"}
    assert dataset_file(tmp_path, SHA256).read_bytes() == DATA


def test_a_file_that_is_not_kept_is_gone(tmp_path: Path) -> None:
    incoming(tmp_path).close()
    assert files(tmp_path) == set()


def test_a_file_takes_the_place_of_a_damaged_one(tmp_path: Path) -> None:
    dataset_file(tmp_path, SHA256).parent.mkdir()
    dataset_file(tmp_path, SHA256).write_bytes(b"half")
    kept(tmp_path)
    assert dataset_file(tmp_path, SHA256).read_bytes() == DATA


@pytest.mark.parametrize(
    ("number", "raised"),
    [(errno.ENOSPC, StorageFull), (errno.EDQUOT, StorageFull), (errno.EROFS, Unavailable), (errno.EIO, Unavailable)],
)
def test_a_disk_that_takes_no_more_is_told_and_nothing_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, raised: type[Exception]
) -> None:
    file = incoming(tmp_path)

    def full(_: Any) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(raised):
        file.sync()
    file.close()
    assert files(tmp_path) == set()


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "datasets").write_text("a file where the folder should be")
    with pytest.raises(Unavailable):
        Incoming(tmp_path)


def test_the_file_of_a_crash_before_its_row_goes(tmp_path: Path) -> None:
    crashed(tmp_path)
    assert datafiles.tidy(Rows(), tmp_path) == 1
    assert files(tmp_path) == set()
    assert datafiles.tidy(Rows(), tmp_path) == 0


def test_the_file_of_a_crash_behind_its_row_stays(tmp_path: Path) -> None:
    crashed(tmp_path)
    assert datafiles.tidy(Rows(SHA256), tmp_path) == 0
    assert files(tmp_path) == {f"datasets/{SHA256}"}


def test_a_file_that_no_row_names_and_nobody_left_on_the_way_is_another_databases(tmp_path: Path) -> None:
    kept(tmp_path)
    os.utime(dataset_file(tmp_path, SHA256), (LONG_AGO, LONG_AGO))
    assert datafiles.tidy(Rows(), tmp_path) == 0
    assert files(tmp_path) == {f"datasets/{SHA256}"}


def test_a_refusal_leaves_no_mark(tmp_path: Path) -> None:
    with pytest.raises(WrongStatus), settling(tmp_path, SHA256):
        raise WrongStatus
    assert files(tmp_path) == set()


def test_half_an_upload_that_nobody_writes_to_any_more_goes(tmp_path: Path) -> None:
    young, old = Incoming(tmp_path), Incoming(tmp_path)
    os.utime(old.path, (LONG_AGO, LONG_AGO))
    assert datafiles.tidy(Rows(), tmp_path) == 1
    assert files(tmp_path) == {str(young.path.relative_to(tmp_path))}
    young.close()
    old.close()


def test_a_folder_without_uploads_is_left_as_it_is(tmp_path: Path) -> None:
    assert datafiles.tidy(Rows(), tmp_path) == 0
    assert list(tmp_path.iterdir()) == []


def test_a_deleted_file_is_gone_and_may_be_deleted_again(tmp_path: Path) -> None:
    kept(tmp_path)
    datafiles.remove(tmp_path, SHA256)
    datafiles.remove(tmp_path, SHA256)
    assert files(tmp_path) == set()
