"""Weights as safetensors: listed from their header, and refused where that does not fit the file."""

from __future__ import annotations

import json
import pickle
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from core.dataset import Tensor
from core.errors import DataRefused
from core.intake import from_json, to_json
from core.intake.weights import LISTED, MAX_HEADER, MAX_TENSORS, inspect
from tests.core.intake.looking import look, problem

NAME = "model.safetensors"


def written(header: Any, data: bytes = b"") -> bytes:
    """A file with this header, whatever it says."""
    head = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(head).to_bytes(8, "little") + head + data


def tensor(begin: int = 0, end: int = 4, dtype: Any = "F32", shape: Any = (1,)) -> dict[str, Any]:
    return {"dtype": dtype, "shape": list(shape) if isinstance(shape, tuple) else shape, "data_offsets": [begin, end]}


def test_what_torch_users_save_is_listed_with_names_types_and_shapes(tmp_path: Path) -> None:
    weights = {
        "0.weight": torch.zeros(3, 2),
        "0.bias": torch.zeros(3, dtype=torch.bfloat16),
        "1.half": torch.zeros(4, dtype=torch.float16),
        "1.count": torch.tensor(5),
    }
    save_file(weights, tmp_path / NAME, metadata={"format": "pt"})
    profile = look(tmp_path, (tmp_path / NAME).read_bytes(), name=NAME)
    assert (profile.form, profile.format, profile.rows, profile.parameters) == ("weights", "safetensors", 4, 14)
    assert {(one.name, one.dtype, one.shape) for one in profile.tensors} == {
        ("0.weight", "F32", (3, 2)),
        ("0.bias", "BF16", (3,)),
        ("1.half", "F16", (4,)),
        ("1.count", "I64", ()),
    }
    assert from_json(to_json(profile)) == profile


def test_a_header_as_long_as_the_sign_of_a_pickle_is_a_header_all_the_same(tmp_path: Path) -> None:
    head = json.dumps({"w": tensor()}).encode().ljust(0x0480)  # in little-endian: 80 04, a pickle of protocol 4
    assert look(tmp_path, written(head, bytes(4)), name=NAME).tensors == (Tensor("w", "F32", (1,)),)


def test_of_many_tensors_the_first_are_listed_and_all_are_counted(tmp_path: Path) -> None:
    header = {f"layers.{at}": tensor(4 * at, 4 * at + 4) for at in range(LISTED + 5)}
    profile = look(tmp_path, written(header, bytes(4 * (LISTED + 5))), name=NAME)
    assert (profile.rows, len(profile.tensors), profile.parameters) == (LISTED + 5, LISTED, LISTED + 5)


WRONG: list[tuple[Any, bytes, str]] = [
    ({"w": tensor()}, b"", "take 4 bytes by the header, and behind it there are 0"),
    ({"w": tensor()}, bytes(5), "behind it there are 5"),
    ({"w": tensor(4, 8)}, bytes(8), "'w' leaves a hole before it: it begins at 4, not at 0"),
    ({"v": tensor(0, 8, shape=(2,)), "w": tensor(4, 8)}, bytes(8), "'w' overlaps the one before it"),
    ({"w": tensor(0, 3)}, bytes(3), "lies in 3 bytes, and takes 4 as F32 [1]"),
    ({"w": tensor(4, 0)}, bytes(4), "lies in -4 bytes"),
    ({"w": tensor(shape=(1 << 40, 1 << 40))}, bytes(4), "lies in 4 bytes, and takes"),
    ({"w": tensor(shape=(-1,))}, bytes(4), "'w' has no shape"),
    ({"w": tensor(shape=[True])}, bytes(4), "'w' has no shape"),
    ({"w": tensor(shape=(1,) * 17)}, bytes(4), "up to 16 numbers"),
    ({"w": tensor(dtype="F8_E4M3", end=1)}, bytes(1), "'w' is of type 'F8_E4M3'; F64, F32, F16"),
    ({"w": tensor(dtype=["F32"])}, bytes(4), "is of type"),
    ({"w": {**tensor(), "data_offsets": [0, 1 << 60]}}, bytes(4), "'w' has no place"),
    ({"w": {**tensor(), "more": 1}}, bytes(4), "is not told by dtype, shape and data_offsets"),
    ({"w": 5}, bytes(4), "is not told by dtype, shape and data_offsets"),
    ({"a\u0000b": tensor()}, bytes(4), "letters that can be printed"),
    (b'{"\\ud800": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}', bytes(4), "letters that can be printed"),
    ({"w" * 501: tensor()}, bytes(4), "up to 500 letters"),
    ({"__metadata__": {"format": "pt"}}, b"", "names no tensor"),
    (b"{}", b"", "names no tensor"),
    (b'{"w": 1, "w": 2}', b"", "'w' is there twice"),
    (b"{" + b'"a":[' * 100_000, b"", "is no JSON"),
    (b'{"w": ' + b"9" * 10_000 + b"}", b"", "is no JSON"),
    (b"{\xff}", b"", "is no JSON"),
    ({f"{at}": tensor(0, 0, shape=(0,)) for at in range(MAX_TENSORS + 1)}, b"", "20,001 tensors"),
]


@pytest.mark.parametrize(("header", "data", "told"), WRONG, ids=[told[:40] for _, _, told in WRONG])
def test_a_header_that_does_not_fit_its_file_is_refused(tmp_path: Path, header: Any, data: bytes, told: str) -> None:
    assert told in problem(tmp_path, written(header, data), name=NAME).message


def test_a_header_is_neither_read_beyond_its_bound_nor_beyond_the_file(tmp_path: Path) -> None:
    long = (MAX_HEADER + 1).to_bytes(8, "little") + b"{"
    assert f"at most {MAX_HEADER:,} are read" in problem(tmp_path, long, name=NAME).message
    short = (1000).to_bytes(8, "little") + b"{}"
    assert "the file ends before that" in problem(tmp_path, short, name=NAME).message


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
TENSORS = st.fixed_dictionaries(
    {
        "dtype": st.sampled_from(["F32", "BF16", "I64", "BOOL", "X"]),
        "shape": st.lists(st.integers(-1, 3), max_size=3),
        "data_offsets": st.lists(st.integers(-1, 24), min_size=2, max_size=2),
    }
)


@given(
    header=st.dictionaries(st.text(max_size=4), TENSORS | ANYTHING, max_size=3)
    | st.just({"a": tensor(0, 8, shape=(2,)), "b": tensor(8, 10, "BF16")}),
    held=st.integers(0, 24),
    cut=st.integers(0, 3),
)
def test_whatever_a_file_says_it_is_refused_or_torch_can_load_it(header: Any, held: int, cut: int) -> None:
    content = written(header, bytes(held))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / NAME
        path.write_bytes(content[: len(content) - cut])
        try:
            profile = inspect(path)
        except DataRefused:
            return
        loaded = load_file(path)
        assert {name: tuple(one.shape) for name, one in loaded.items()} == {
            one.name: one.shape for one in profile.tensors
        }


@pytest.mark.parametrize("name", ["model.pt", "model.pth", "pytorch_model.bin", "last.ckpt", "model.pkl"])
def test_a_file_that_may_be_code_is_refused_with_the_way_to_save_it(tmp_path: Path, name: str) -> None:
    path = tmp_path / "saved"
    torch.save({"w": torch.zeros(2)}, path)
    for content in (path.read_bytes(), pickle.dumps([1]), b"anything"):
        told = problem(tmp_path, content, name=name).message
        assert "pickles, which are code, so they are never read" in told
        assert "safetensors.torch.save_file" in told
    assert zipfile.is_zipfile(path)


def test_the_name_and_the_bytes_must_agree(tmp_path: Path) -> None:
    good = written({"w": tensor()}, bytes(4))
    assert "name it .safetensors" in problem(tmp_path, good, name="weights.npz").message
    assert "not weights as safetensors" in problem(tmp_path, "a,b\n1,2\n", name=NAME).message
    assert "looks like weights as safetensors" in problem(tmp_path, good, name="model.pt").message
