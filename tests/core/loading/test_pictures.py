"""Pictures from the zip to arrays: what each pixel becomes, what is kept, and which picture cannot be read."""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.data import Arrays
from core.dataset import Facts
from core.errors import InvalidData
from core.intake import Limits
from core.intake.pictures import inspect
from core.loading import pictures
from core.loading.picture_files import list_pictures
from core.loading.pictures import pixels, read
from core.parts.uploads import Resize
from tests.core.intake.zipping import pets, picture, zipped


def facts(path: Path, size: tuple[int, int] | None = None) -> Facts:
    profile = inspect(path, Limits())
    channels, *usual = profile.shape or ()
    return Facts(
        sha256="0" * 64,
        format="zip",
        form="images",
        samples=profile.rows,
        features=(channels, *(size or usual)),
        classes=len(profile.classes or ()),
    )


def arrays(path: Path, size: tuple[int, int] | None = None, cache: Path | None = None) -> Arrays:
    return read(path, facts(path, size), cache=cache)


def grey_of(image: Image.Image, *, kind: str = "PNG", **how: object) -> int:
    """What a picture of one colour becomes as one grey pixel."""
    made = io.BytesIO()
    image.save(made, kind, **how)
    return int(pixels(made.getvalue(), shape=(1, 1, 1))[0, 0, 0])


def test_pictures_become_numbers_from_0_to_1_in_the_order_of_their_names(tmp_path: Path) -> None:
    files = {"b/1.png": picture(colour=(255, 51, 0)), "a/2.png": picture(colour=(0, 0, 255)), "a/10.png": picture()}
    found = arrays(zipped(tmp_path / "pets.zip", files))
    assert found.x.shape == (3, 3, 4, 6)
    assert (found.x.dtype.name, found.y.dtype.name) == ("float32", "int64")
    assert found.class_names == ("a", "b")
    assert found.y.tolist() == [0, 0, 1]
    assert found.x[2, :, 0, 0].tolist() == [1.0, np.float32(0.2), 0.0]
    assert found.x[:, 2].max(axis=(1, 2)).tolist() == [0.0, 1.0, 0.0]


def test_grey_pictures_have_one_channel(tmp_path: Path) -> None:
    files = {name: picture(mode="L", colour=102) for name in ("a/1.png", "b/1.png")}
    found = arrays(zipped(tmp_path / "pets.zip", files))
    assert found.x.shape == (2, 1, 4, 6)
    assert np.all(found.x == np.float32(0.4))


def test_pictures_of_other_sizes_are_stretched(tmp_path: Path) -> None:
    path = zipped(tmp_path / "pets.zip", pets(**{"dogs/2.png": picture(size=(60, 10), colour="white")}))
    assert arrays(path).x.shape == (4, 3, 4, 6)
    small = arrays(path, size=(3, 2)).x
    assert small.shape == (4, 3, 3, 2)
    assert small[3].min() == 1.0


def test_16_bits_of_grey_keep_their_upper_8() -> None:
    assert grey_of(Image.fromarray(np.full((2, 2), 0x7F03, np.uint16))) == 0x7F


def test_what_is_transparent_becomes_white() -> None:
    assert grey_of(Image.new("RGBA", (2, 2), (0, 0, 0, 0))) == 255
    assert grey_of(Image.new("LA", (2, 2), (0, 0))) == 255
    assert grey_of(Image.new("P", (2, 2), 0), transparency=0) == 255
    assert grey_of(Image.new("RGBA", (2, 2), (0, 0, 0, 255))) == 0


def test_of_a_moving_picture_the_first_frame_counts() -> None:
    frames = [Image.new("L", (2, 2), shade) for shade in (10, 200)]
    assert grey_of(frames[0], kind="GIF", save_all=True, append_images=frames[1:]) == 10


def test_a_photo_is_turned_as_its_camera_was() -> None:
    turned = Image.Exif()
    turned[0x0112] = 3
    made = io.BytesIO()
    half = Image.new("L", (16, 8), 0)
    half.paste(255, (0, 0, 8, 8))
    half.save(made, "JPEG", exif=turned, quality=100)
    left, right = pixels(made.getvalue(), shape=(1, 8, 16))[0, 4, [2, 13]]
    assert (left, right) == (0, 255)


def test_what_was_decoded_is_kept_and_comes_back_the_same(tmp_path: Path) -> None:
    path = zipped(tmp_path / "pets.zip", pets(**{"dogs/2.png": picture(colour=(1, 2, 3))}))
    told = facts(path)
    first = read(path, told, cache=tmp_path / "cache")
    path.unlink()
    again = read(path, told, cache=tmp_path / "cache")
    assert np.array_equal(first.x, again.x)
    assert np.array_equal(first.y, again.y)
    assert first.class_names == again.class_names


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut short"])
def test_a_broken_file_in_the_cache_is_made_anew(content: bytes, tmp_path: Path) -> None:
    path = zipped(tmp_path / "pets.zip", pets())
    arrays(path, cache=tmp_path)
    (kept,) = tmp_path.glob("pictures-*.npz")
    kept.write_bytes(content)
    assert len(arrays(path, cache=tmp_path).x) == 3
    assert kept.stat().st_size > 200


def test_each_size_is_kept_and_the_one_unused_for_longest_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "KEPT", 2)
    path = zipped(tmp_path / "pets.zip", pets())
    for age, side in enumerate((1, 2, 3)):
        arrays(path, size=(side, side), cache=tmp_path)
        for kept in tmp_path.glob(f"pictures-*x{side}x{side}.npz"):
            os.utime(kept, (age, age))
    assert {kept.name[-9:] for kept in tmp_path.glob("pictures-*")} == {"3x2x2.npz", "3x3x3.npz"}


def test_a_large_set_is_not_kept_and_a_full_folder_costs_time_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = zipped(tmp_path / "pets.zip", pets())
    (tmp_path / "file").write_text("in the way")
    assert len(arrays(path, cache=tmp_path / "file").x) == 3
    monkeypatch.setattr(pictures, "KEPT_BYTES", 100)
    arrays(path, cache=tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


def test_pictures_that_cannot_be_decoded_are_named(tmp_path: Path) -> None:
    made = io.BytesIO()
    Image.effect_noise((64, 64), 50).save(made, "JPEG")
    half = made.getvalue()[: len(made.getvalue()) // 2]
    path = zipped(tmp_path / "pets.zip", pets(**{f"cats/half{at}.jpg": half for at in range(7)}))
    with pytest.raises(InvalidData, match=r"7 of 10 pictures cannot be decoded: cats/half0.jpg .*and 2 more") as error:
        arrays(path)
    assert error.value.hint


def test_a_zip_that_is_none_is_invalid_data(tmp_path: Path) -> None:
    path = zipped(tmp_path / "pets.zip", pets())
    told = facts(path)
    path.write_bytes(b"something else")
    with pytest.raises(InvalidData, match="cannot be read"):
        read(path, told, cache=None)


@pytest.mark.parametrize(("resize", "corner", "middle"), [("stretch", 255, 255), ("crop", 255, 255), ("pad", 0, 255)])
def test_a_wide_picture_is_stretched_cut_or_padded(resize: Resize, corner: int, middle: int) -> None:
    """White with a black stripe at its left tenth: stretched it stays, cut it goes."""
    image = Image.new("L", (40, 10), "white")
    image.paste(0, (0, 0, 4, 10))
    made = io.BytesIO()
    image.save(made, "PNG")
    found = pixels(made.getvalue(), shape=(1, 20, 20), resize=resize)[0]
    assert found.shape == (20, 20)
    assert (found[0, 10], found[10, 10]) == (corner, middle)
    assert int(found[10, 0]) == (255 if resize == "crop" else 0)


def test_what_was_resized_otherwise_is_decoded_anew(tmp_path: Path) -> None:
    path = zipped(tmp_path / "pets.zip", pets(**{"dogs/2.png": picture(size=(60, 10), colour="white")}))
    told, cache = facts(path, (8, 8)), tmp_path / "cache"
    cache.mkdir()
    every: tuple[Resize, ...] = ("stretch", "crop", "pad")
    first = [read(path, told, cache=cache, resize=resize).x for resize in every]
    assert len(list(cache.iterdir())) == 3
    assert not np.array_equal(first[0], first[2])
    again = [read(path, told, cache=cache, resize=resize).x for resize in every]
    assert all(map(np.array_equal, first, again))
    lazily = list_pictures(path, told, resize="pad")
    assert np.array_equal(lazily.pictures(np.arange(len(again[2]))), again[2])
