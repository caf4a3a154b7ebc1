"""A zip of pictures, looked at: its classes, its sizes, and what is wrong in it, by name."""

from __future__ import annotations

import io
import tracemalloc
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from PIL import Image

from core.dataset import Profile
from core.errors import DataRefused
from core.intake.limits import Limits
from core.intake.pictures import first_rows, inspect
from tests.core.intake.zipping import header_only_png, overlapping, pets, picture, zipped

LIMITS = Limits()
SHEET = b"file,label\n"


def seen(tmp_path: Path, files: dict[str, bytes], limits: Limits = LIMITS) -> Profile:
    return inspect(zipped(tmp_path / "pets.zip", files), limits)


def refusal(tmp_path: Path, files: dict[str, bytes], limits: Limits = LIMITS) -> DataRefused:
    with pytest.raises(DataRefused) as refused:
        seen(tmp_path, files, limits)
    return refused.value


def counts(profile: Profile) -> dict[str, int]:
    (label,) = profile.columns
    return dict(label.counts or {})


def test_class_folders_are_the_classes(tmp_path: Path) -> None:
    profile = seen(tmp_path, pets())
    assert (profile.form, profile.format, profile.rows) == ("images", "zip", 3)
    assert profile.classes == ("cats", "dogs")
    assert counts(profile) == {"cats": 2, "dogs": 1}
    assert profile.shape == (3, 4, 6)


def test_what_all_pictures_lie_in_is_no_class(tmp_path: Path) -> None:
    profile = seen(tmp_path, {f"pets/2026/{name}": content for name, content in pets().items()})
    assert profile.classes == ("cats", "dogs")


def test_folders_below_a_class_folder_belong_to_it(tmp_path: Path) -> None:
    assert counts(seen(tmp_path, pets(**{"cats/old/3.png": picture()}))) == {"cats": 3, "dogs": 1}


def test_class_numbers_are_in_the_order_of_numbers(tmp_path: Path) -> None:
    assert seen(tmp_path, {f"{at}/1.png": picture() for at in range(11)}).classes == tuple(str(at) for at in range(11))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "GIF"])
@pytest.mark.parametrize(("mode", "channels"), [("L", 1), ("RGB", 3)])
def test_each_format_is_read_by_its_content(kind: str, mode: str, channels: int, tmp_path: Path) -> None:
    content = picture(mode=mode, kind=kind, colour="red" if mode == "RGB" else 128)
    profile = seen(tmp_path, {"cats/1.png": content, "dogs/1.jpg": content})
    assert profile.shape is not None
    assert profile.shape[1:] == (4, 6)
    assert profile.shape[0] == (3 if kind == "WEBP" else channels), "WEBP knows no grey"


def test_one_coloured_picture_makes_them_all_coloured(tmp_path: Path) -> None:
    grey = picture(mode="L")
    assert seen(tmp_path, {"cats/1.png": grey, "dogs/1.png": grey}).shape == (1, 4, 6)
    assert seen(tmp_path, {"cats/1.png": grey, "dogs/1.png": picture()}).shape == (3, 4, 6)


def test_the_shape_is_the_most_common_size(tmp_path: Path) -> None:
    assert seen(tmp_path, pets(**{"dogs/2.png": picture(size=(99, 99))})).shape == (3, 4, 6)


def test_a_photo_that_lies_on_its_side_counts_as_it_is_seen(tmp_path: Path) -> None:
    turned = Image.Exif()
    turned[0x0112] = 6
    made = io.BytesIO()
    Image.new("RGB", (6, 4)).save(made, "JPEG", exif=turned)
    assert seen(tmp_path, {"cats/1.jpg": made.getvalue(), "dogs/1.jpg": made.getvalue()}).shape == (3, 6, 4)


def test_what_a_system_or_an_author_leaves_there_is_no_picture_and_no_trouble(tmp_path: Path) -> None:
    left = {
        "__MACOSX/cats/._1.png": b"x",
        "cats/.DS_Store": b"x",
        "dogs/Thumbs.db": b"x",
        "README.md": b"x",
        "LICENSE": b"x",
    }
    assert seen(tmp_path, pets(**left)).rows == 3


def test_the_first_rows_are_names_and_classes(tmp_path: Path) -> None:
    path = zipped(tmp_path / "pets.zip", pets())
    assert first_rows(path, LIMITS, 2) == (["file", "label"], [["cats/1.png", "cats"], ["cats/2.png", "cats"]])


def test_a_sheet_tells_the_classes(tmp_path: Path) -> None:
    sheet = b'\xef\xbb\xbffile,label,taken\r\n1.png,cat,2026\r\n./in/2.png,"dog, small",2025\r\n'
    profile = seen(tmp_path, {"set/labels.csv": sheet, "set/1.png": picture(), "set/in/2.png": picture()})
    assert counts(profile) == {"cat": 1, "dog, small": 1}


@pytest.mark.parametrize(
    ("files", "name"),
    [
        ({"1.png": picture(), "2.png": picture()}, "pictures"),
        ({"pets/cats/1.png": picture(), "pets/cats/2.png": picture()}, "cats"),
        ({"labels.csv": SHEET + b"1.png,cat\n2.png,cat\n", "1.png": picture(), "2.png": picture()}, "cat"),
    ],
)
def test_pictures_of_one_folder_are_of_one_class(files: dict[str, bytes], name: str, tmp_path: Path) -> None:
    profile = seen(tmp_path, files)
    assert (counts(profile), profile.classes) == ({name: 2}, (name,))


@pytest.mark.parametrize(
    ("sheet", "told"),
    [
        (SHEET + b"1.png,cat\n2.png,dog\n3.png,dog\n", "line 4.*no picture '3.png'"),
        (SHEET + b"1.png,cat\n2.png,dog\n1.png,dog\n", "line 4.*named before, with the label 'cat'"),
        (SHEET + b"1.png,cat\n2.png, \n", "line 3.*no label"),
        (SHEET + b"1.png,cat\n2.png\n", "line 3.*no label"),
        (SHEET + b"1.png,cat\n../2.png,dog\n", "line 3.*no picture '../2.png'"),
        (SHEET + b"1.png,cat\n", "2.png.*does not name it"),
        (b"name,class\n1.png,cat\n", "has the columns name, class, not file,label"),
        (b"", r"has the columns \(none\)"),
        (SHEET + b"1.png,\xff\n", "not UTF-8"),
        (SHEET + b'1.png,"cat\n', "cannot be read"),
    ],
)
def test_a_wrong_sheet_is_told_with_the_line(sheet: bytes, told: str, tmp_path: Path) -> None:
    error = refusal(tmp_path, {"labels.csv": sheet, "1.png": picture(), "2.png": picture()})
    with pytest.raises(DataRefused, match=told):
        raise error


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({"notes.txt": b"1"}, "there is no picture in it"),
        ({"cats/1.png": picture(), "cats/old/2.png": picture()}, "lies in no class folder"),
        ({f"{part}/{pet}/1.png": picture() for part in ("train", "val") for pet in ("cat", "dog")}, "parts of a split"),
        (pets(**{"3.png": picture()}), "'3.png': it lies in no class folder"),
        (pets(**{"cats/3.tiff": picture()}), "'cats/3.tiff': it is no picture"),
        (pets(**{"cats/3.png": b"no picture"}), "'cats/3.png': its content is no picture"),
        (pets(**{"cats/3.png": b""}), "'cats/3.png': its content is no picture"),
        (pets(**{"cats/3.png": picture()[:-9]}), "'cats/3.png': it is damaged"),
        (pets(**{"../3.png": picture()}), "leads out of the archive"),
        ({"a/labels.csv": SHEET, "b/labels.csv": SHEET, "1.png": picture()}, "2 files labels.csv"),
    ],
)
def test_what_cannot_be_learned_from_is_refused_by_name(files: dict[str, bytes], told: str, tmp_path: Path) -> None:
    with pytest.raises(DataRefused, match=told):
        raise refusal(tmp_path, files)


def test_the_first_twenty_troubles_are_told_and_all_are_counted(tmp_path: Path) -> None:
    error = refusal(tmp_path, pets(**{f"cats/bad{at:02}.png": b"x" for at in range(33)}))
    assert (len(error.problems), error.count) == (20, 33)
    assert error.problems[0].pointer == "/file/entries/cats~1bad00.png"


def test_a_picture_of_too_many_pixels_is_refused_by_its_header(tmp_path: Path) -> None:
    tracemalloc.start()
    for size in ((10_000, 10_000), (14_000, 14_000), (5_001, 5_000)):
        error = refusal(tmp_path, pets(**{"cats/3.png": header_only_png(*size)}))
        assert error.problems[0].message == "'cats/3.png': it has more than 25,000,000 pixels."
    assert tracemalloc.get_traced_memory()[1] < 5_000_000
    tracemalloc.stop()
    assert seen(tmp_path, pets(**{"cats/3.png": header_only_png(5_000, 5_000)})).rows == 4


def test_a_webp_of_too_many_pixels_is_refused_before_a_canvas_is_made(tmp_path: Path) -> None:
    canvas = (16_383 - 1).to_bytes(3, "little")
    content = b"RIFF\x16\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x02\x00\x00\x00" + canvas + canvas
    assert "pixels" in refusal(tmp_path, pets(**{"cats/3.webp": content})).problems[0].message


def test_a_file_larger_than_its_pixels_can_be_is_not_unpacked(tmp_path: Path) -> None:
    padded = picture() + Random(0).randbytes(2_000_000)
    few = replace(LIMITS, pixels=1_000)
    assert "pixels" in refusal(tmp_path, pets(**{"cats/3.png": padded}), few).problems[0].message


@pytest.mark.parametrize("quoted", [False, True])
def test_a_bomb_is_refused_whole(quoted: bool, tmp_path: Path) -> None:
    with pytest.raises(DataRefused, match=r"The zip cannot be used.*overlap") as refused:
        inspect(overlapping(tmp_path / "bomb.zip", copies=40, quoted=quoted), LIMITS)
    assert refused.value.problems[0].pointer == "/file"


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "GIF"])
def test_a_damaged_picture_is_seen_or_refused_and_nothing_else(kind: str, tmp_path: Path) -> None:
    """Cut anywhere and with a byte changed anywhere, a picture never ends in an error that is not ours."""
    whole = picture(kind=kind)
    step = max(1, len(whole) // 60)
    broken = [whole[:cut] for cut in range(0, len(whole), step)]
    broken += [whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :] for at in range(0, len(whole), step)]
    names = {f"cats/bad{at}.png": content for at, content in enumerate(broken)}
    error = refusal(tmp_path, pets(**names))
    assert error.count > 15
