"""Whatever is sent, however large or odd, is a spec or is refused with its problems, at once."""

from __future__ import annotations

import time
import tracemalloc
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import SpecRefused
from core.spec import JobSpec, parse_spec
from core.spec.sound import SECTIONS

UNKNOWN = [{"name": "conv2d", **{f"kernel_side{number}": 1 for number in range(17)}} for _ in range(200)]
NESTED: Any = ["relu"]
for _ in range(100):
    NESTED = [{"name": "residual", "layers": NESTED}]


@pytest.mark.parametrize(
    "data",
    [
        {"dataset": "digits", "model": {"name": "mlp", "hidden": [65_536] * 64}},
        {"dataset": "digits", "model": {"name": "mlp", "hidden": [8] * 100_000}},
        {"dataset": "digits", "model": {"name": "layers", "layers": [None] * 50_000}},
        {"dataset": "digits", "model": {"name": "layers", "layers": [None] * 200}},
        {"dataset": "digits", "model": {"name": "layers", "layers": UNKNOWN}},
        {"dataset": "digits", "model": {"name": "layers", "layers": NESTED}},
        {"dataset": "digits", "model": "mlp", "name": "x" * 10**6},
        {"dataset": "digits", "model": "x" * 10**6},
        {"dataset": "digits", "model": "mlp", "labels": {f"tag{number}": "" for number in range(50_000)}},
        {"dataset": "digits", "model": "mlp", "labels": {f"tag{number}": 1 for number in range(4_000)}},
        {"dataset": "digits", "model": "mlp", "metrics": ["nope"] * 50_000},
        {"dataset": "digits", "model": "mlp", "metrics": [None] * 1_400},
        {"dataset": "digits", "model": "mlp", **{name: {f"key{n}": n for n in range(1_000)} for name in SECTIONS}},
        {"dataset": "digits", "model": "mlp", **{f"key{number}": 1 for number in range(50_000)}},
        {"dataset": {"name": "blobs", "samples": 10_000_000, "features": 100_000}, "model": "linear"},
        {"dataset": "digits", "model": "mlp", "seed": 10**5000},
    ],
    ids=[
        "parameters",
        "widths",
        "many layers",
        "layers of nothing",
        "layers of unknown settings",
        "layers within layers",
        "name",
        "part",
        "many labels",
        "labels",
        "metrics",
        "nulls",
        "sections",
        "keys",
        "data",
        "digits",
    ],
)
def test_a_bomb_is_refused_without_building_anything(data: Any) -> None:
    _refused({"dataset": "digits", "model": "nope", "name": ""})  # what is made once and kept
    tracemalloc.start()
    started = time.process_time()
    found = _refused(data)
    seconds, (_, peak) = time.process_time() - started, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found <= 101
    assert seconds < 0.5, "it takes some 10 ms untraced, and never 50"
    assert peak < 20 * 2**20


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
WORDS = st.sampled_from([*JobSpec.model_fields, "extra"])
PARTS = st.sampled_from(
    ["digits", "iris", "diabetes", "mlp", "cnn", "resnet", "rnn", "linear", "bce", "sgd", "lbfgs", "one_cycle", "mae"]
)


@settings(max_examples=300, deadline=None)
@given(
    st.dictionaries(WORDS, PARTS | JSON | st.fixed_dictionaries({"name": PARTS}, optional={"hidden": JSON}), max_size=8)
)
def test_anything_is_either_a_spec_or_refused_with_its_problems(data: dict[str, Any]) -> None:
    try:
        spec = parse_spec(data)
    except SpecRefused as error:
        told = [problem.pointer + problem.message for problem in error.problems]
        "".join(told).encode()
    else:
        assert JobSpec.model_validate(spec.model_dump(mode="json")) == spec


def _refused(data: Any) -> int:
    """How many problems `data` has."""
    with pytest.raises(SpecRefused) as caught:
        parse_spec(data)
    return len(caught.value.problems)
