"""A zip from a stranger: bombs, names that lead elsewhere, links, and what else is no plain file."""

from __future__ import annotations

import stat
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from core.intake.archives import Unusable, opened
from core.intake.limits import Limits
from tests.core.intake.zipping import overlapping, zipped

LIMITS = Limits()
ODD_NAMES = [
    "",
    "../cats.png",
    "../../etc/passwd",
    "cats/../../1.png",
    "cats/..",
    "cats/./1.png",
    "./1.png",
    "..",
    ".",
    "cats//1.png",
    "//server/share/1.png",
    "/1.png",
    "/etc/cron.d/job",
    "/",
    "C:/1.png",
    "c:1.png",
    "Z:",
    "C:\\Windows\\1.png",
    "..\\1.png",
    "cats\\1.png",
    "\\\\server\\share",
    "\\",
    "cats/1.png\x00.exe",
    "\x00cats/1.png",
    "cats/\n1.png",
    "cats/\r1.png",
    "cats/\x1b[2J.png",
    "cats/\x7f.png",
    "cats/\x85.png",
    "cats/../cats/1.png",
    "a/" * 600 + "1.png",
]
EVERYDAY_NAMES = [
    "cats/1.png",
    "Katzen/Größe 1.png",
    "猫/一.png",
    "a..b/c...png",
    "2020-01-01T10:00:00/1.png",
    "-rf/~.png",
]


def wrong(path: Path, limits: Limits = LIMITS) -> list[str]:
    with opened(path, limits) as archive:
        return [trouble.message for trouble in archive.troubles]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_name_that_leads_elsewhere_is_refused(name: str, tmp_path: Path) -> None:
    # ZipInfo cuts names at NUL: a placeholder of the same length is put in its place in the bytes
    path = zipped(tmp_path / "pets.zip", {name.replace("\x00", "\x01"): b"1"})
    path.write_bytes(path.read_bytes().replace(name.replace("\x00", "\x01").encode(), name.encode()))
    assert len(wrong(path)) == 1


@pytest.mark.parametrize("name", EVERYDAY_NAMES)
def test_an_everyday_name_is_not_refused(name: str, tmp_path: Path) -> None:
    assert wrong(zipped(tmp_path / "pets.zip", {name: b"1"})) == []


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO, stat.S_IFSOCK])
def test_a_link_or_a_device_is_refused(kind: int, tmp_path: Path) -> None:
    entry = zipfile.ZipInfo("cats/1.png")
    entry.external_attr = (kind | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "pets.zip", "w") as made:
        made.writestr(entry, "/etc/passwd")
    assert "link or a device" in wrong(tmp_path / "pets.zip")[0]


@pytest.mark.parametrize(
    "pair", [("cats/1.png", "cats/1.PNG"), ("cats/é.png", "cats/e\u0301.png"), ("straße/1.png", "STRASSE/1.png")]
)
def test_two_names_that_are_one_file_on_some_disk_are_refused(pair: tuple[str, str], tmp_path: Path) -> None:
    assert "same name" in wrong(zipped(tmp_path / "pets.zip", dict.fromkeys(pair, b"1")))[0]


def test_the_same_name_twice_is_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path / "pets.zip", {"cats/1.png": b"1", "cats/2.png": b"2"})
    path.write_bytes(path.read_bytes().replace(b"cats/2", b"cats/1"))
    assert "same name" in wrong(path)[0]


@pytest.mark.parametrize("name", ["more.zip", "more.tar.gz", "MORE.7Z"])
def test_an_archive_in_the_archive_is_refused(name: str, tmp_path: Path) -> None:
    assert "archive in the archive" in wrong(zipped(tmp_path / "pets.zip", {name: b"1"}))[0]


def test_an_encrypted_entry_is_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path / "pets.zip", {"cats/1.png": b"1"})
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    assert wrong(path) == ["it is encrypted"]


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_only_deflate_is_unpacked(method: int, tmp_path: Path) -> None:
    assert "deflate" in wrong(zipped(tmp_path / "pets.zip", {"cats/1.png": bytes(99)}, compression=method))[0]


def test_an_entry_that_unpacks_to_far_more_than_it_takes_is_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path / "pets.zip", {"cats/1.png": bytes(5_000_000), "cats/2.png": bytes(900_000)})
    (message,) = wrong(path)
    assert "times its size; 200 times are allowed" in message


def test_a_bomb_of_many_small_entries_is_refused_whole(tmp_path: Path) -> None:
    path = zipped(tmp_path / "pets.zip", {f"cats/{at}.png": bytes(1_000_000) for at in range(70)})
    with pytest.raises(Unusable, match="times its size"):
        wrong(path)


def test_more_bytes_than_are_allowed_are_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path / "pets.zip", {"cats/1.png": bytes(600), "cats/2.png": bytes(600)})
    with pytest.raises(Unusable, match="unpacks to 1,200 bytes; 1,000 are allowed"):
        wrong(path, replace(LIMITS, zip_bytes=1_000))


def test_more_entries_than_are_allowed_are_refused_before_they_are_parsed(tmp_path: Path) -> None:
    path = zipped(tmp_path / "pets.zip", {f"cats/{at}.png": b"" for at in range(11)})
    assert wrong(path, replace(LIMITS, zip_entries=11)) == []
    with pytest.raises(Unusable, match="more than 10 entries"):
        wrong(path, replace(LIMITS, zip_entries=10))


def test_a_directory_too_large_for_its_entries_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "pets.zip"
    with zipfile.ZipFile(path, "w") as made:
        for at in range(10):
            entry = zipfile.ZipInfo(f"cats/{at}.png")
            entry.comment = bytes(60_000)
            made.writestr(entry, b"")
    with pytest.raises(Unusable, match="more than 10 entries"):
        wrong(path, replace(LIMITS, zip_entries=10))


@pytest.mark.parametrize("quoted", [False, True], ids=["whole", "quoted"])
def test_entries_that_share_their_bytes_are_refused(quoted: bool, tmp_path: Path) -> None:
    path = overlapping(tmp_path / "pets.zip", copies=40, quoted=quoted)
    assert path.stat().st_size < 8_000
    with zipfile.ZipFile(path) as made:
        assert sum(len(made.read(entry)) for entry in made.infolist()) == 40_000_000, "no bomb, no test"
    with pytest.raises(Unusable, match="overlap"):
        wrong(path)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"no zip" * 99, b"PK\x05\x06" + bytes(17)])
def test_what_is_no_zip_is_said_to_be_none(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "pets.zip").write_bytes(content)
    with pytest.raises(Unusable, match="no zip file"):
        wrong(tmp_path / "pets.zip")


def test_half_of_a_zip_or_a_flipped_byte_is_an_error_of_ours(tmp_path: Path) -> None:
    """Cut anywhere, and with each byte changed: a trouble, Unusable, or nothing at all; never another error."""
    whole = zipped(tmp_path / "whole.zip", {"cats/1.png": b"123", "dogs/1.png": b"123"}).read_bytes()
    broken = [whole[:cut] for cut in range(len(whole))]
    broken += [whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :] for at in range(len(whole))]
    path, refused = tmp_path / "pets.zip", 0
    for content in broken:
        path.write_bytes(content)
        try:
            refused += bool(wrong(path))
        except Unusable:
            refused += 1
    assert refused > len(whole) * 1.3


def test_an_entry_gives_no_more_than_it_declared(tmp_path: Path) -> None:
    with opened(zipped(tmp_path / "pets.zip", {"cats/1.png": b"12345"}), LIMITS) as archive:
        (entry,) = archive.files
        assert archive.read(entry) == b"12345"
        entry.file_size = 3
        with pytest.raises(zipfile.BadZipFile):
            archive.read(entry)
