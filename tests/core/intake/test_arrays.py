"""NumPy files: the header is judged first, nothing is unpickled, and bad numbers are told with their place."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from core.dataset import Targets
from core.intake import arrays
from core.intake.limits import Limits
from tests.core.intake.looking import look, problem, problems

X = np.arange(24, dtype=np.float32).reshape(6, 2, 2)


def npz(**named: Any) -> bytes:
    made = io.BytesIO()
    np.savez_compressed(made, **named)
    return made.getvalue()


def npy(array: NDArray[Any]) -> bytes:
    made = io.BytesIO()
    np.save(made, array, allow_pickle=True)
    return made.getvalue()


@pytest.mark.parametrize(
    ("y", "targets"),
    [
        (np.array([0, 1, 2, 0, 1, 2]), Targets(3)),
        (np.array([5, 5, 7, 7, 5, 7], np.uint8).reshape(6, 1), Targets(2)),
        (np.array([True, False] * 3), Targets(2)),
        (np.array(["cat", "dog", "cat", "owl", "cat", "dog"]), Targets(3)),
        (np.array([0.5, 1, 2, 3, 4, 5]), Targets(None)),
        (np.zeros((6, 3), np.float32), Targets(None, 3)),
        (np.zeros((6, 3), np.int64), Targets(None, 3)),
    ],
)
def test_targets_are_classes_or_numbers(tmp_path: Path, y: NDArray[Any], targets: Targets) -> None:
    profile = look(tmp_path, npz(x=X, y=y, names=np.array(["left", "right"])), name="a.npz")
    assert (profile.form, profile.format, profile.rows, profile.shape) == ("arrays", "npz", 6, (2, 2))
    assert profile.targets == targets


def test_more_whole_numbers_than_classes_are_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrays, "MOST_CLASSES", 5)
    assert look(tmp_path, npz(x=X, y=np.arange(6)), name="a.npz").targets == Targets(None)
    assert "too many for classes" in problem(tmp_path, npz(x=X, y=np.arange(6).astype(str)), name="a.npz").message


def test_an_array_alone_has_no_targets(tmp_path: Path) -> None:
    profile = look(tmp_path, npy(X), name="a.npy")
    assert (profile.shape, profile.targets) == ((2, 2), None)
    assert look(tmp_path, npz(x=X), name="a.npz").targets is None


class Evil:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {os.environ['MARK']}",)


@pytest.mark.parametrize("packed", [False, True])
def test_python_objects_are_refused_and_never_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, packed: bool
) -> None:
    mark = tmp_path / "mark"
    monkeypatch.setenv("MARK", str(mark))
    evil = np.array([Evil()], dtype=object)
    content, name = (npz(x=evil), "a.npz") if packed else (npy(evil), "a.npy")
    assert "Python objects, which are code" in problem(tmp_path, content, name=name).message
    assert not mark.exists()


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("chunk", [8 << 20, 16])
def test_bad_numbers_are_told_with_their_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, order: Any, chunk: int
) -> None:
    monkeypatch.setattr(arrays, "_CHUNK", chunk)
    x = X.astype(np.float64)
    x[1, 0, 1], x[4, 1, 0], x[5, 1, 1] = np.nan, np.inf, 1e300
    found = problems(tmp_path, npy(np.array(x, order=order)), name="a.npy")
    assert sorted(one.message for one in found) == [
        "Row 2, column 'x': the value at (0, 1) is not a number (NaN).",
        "Row 5, column 'x': the value at (1, 0) is infinite, or too large for float32.",
        "Row 6, column 'x': the value at (1, 1) is infinite, or too large for float32.",
    ]


def test_a_missing_target_is_told_with_its_row(tmp_path: Path) -> None:
    y = np.array([0, 1, 2, np.nan, 4, 5])
    assert problem(tmp_path, npz(x=X, y=y), name="a.npz").pointer == "/file/rows/4/y"


@pytest.mark.parametrize(
    ("named", "told"),
    [
        ({"x_train": X}, "no array x among 'x_train'"),
        ({"x": X, "y": np.arange(5)}, "a target for each"),
        ({"x": X, "y": np.array(1)}, "a target for each"),
        ({"x": X[:, 0, 0]}, "(samples, features)"),
        ({"x": X[:0]}, "every axis"),
        ({"x": X.astype(str)}, "(samples, features)"),
        ({"x": X.astype(complex)}, "complex128"),
        ({"x": X, "y": np.zeros((6, 2, 2))}, "(samples, outputs)"),
        ({"x": X, "y": np.full((6, 2), "a")}, "2 words"),
        ({"x": np.zeros(3, [("a", "f4")])}, "numbers, truths or words"),
    ],
)
def test_arrays_of_another_shape_or_type_are_refused(tmp_path: Path, named: dict[str, Any], told: str) -> None:
    assert told in problem(tmp_path, npz(**named), name="a.npz").message


def test_a_header_that_lies_is_refused_before_anything_is_allocated(tmp_path: Path) -> None:
    whole = npy(X)
    huge = whole.replace(b"(6, 2, 2), }            ", b"(6000000000000, 2, 2), }")
    assert "96,000,000,000,000 bytes" in problem(tmp_path, huge, name="a.npy").message
    assert "by its header" in problem(tmp_path, whole[:-1], name="a.npy").message
    for broken in (
        whole[:20],
        whole.replace(b"<f4", b"<z4"),
        whole.replace(b"), }", b"(((("),
        whole.replace(b"}", b"]"),
    ):
        assert "cannot be read" in problem(tmp_path, broken, name="a.npy").message


def test_too_many_samples_are_refused(tmp_path: Path) -> None:
    assert "6 samples; 5 are allowed" in problem(tmp_path, npy(X), name="a.npy", limits=Limits(rows=5)).message


def test_a_damaged_or_bombed_npz_is_refused(tmp_path: Path) -> None:
    whole = npz(x=np.random.default_rng(1).random((100, 5)))
    broken = bytearray(whole)
    broken[300:310] = b"\x00" * 10
    assert "damaged" in problem(tmp_path, bytes(broken), name="a.npz").message
    assert "cannot be used" in problem(tmp_path, whole[:-30], name="a.npz").message
    bomb = npz(x=np.zeros((1000, 5000), np.float32))
    assert "times its size" in problem(tmp_path, bomb, name="a.npz", limits=Limits(zip_ratio=200)).message


def test_a_link_among_the_arrays_is_refused(tmp_path: Path) -> None:
    made = io.BytesIO(npz(x=X))
    with zipfile.ZipFile(made, "a") as archive:
        link = zipfile.ZipInfo("y.npy")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    assert "link" in problem(tmp_path, made.getvalue(), name="a.npz").message
