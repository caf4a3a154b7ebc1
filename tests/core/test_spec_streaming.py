"""Which data is read as it is needed: told by the spec that is stored, whoever runs it."""

from __future__ import annotations

from typing import Any

import pytest

from core.dataset import Column, Dataset, Profile
from core.errors import SpecRefused
from core.spec import JobSpec, parse_spec
from core.spec.patching import patched
from tests.core.uploading import FLOWERS, found, stored

COLUMNS = tuple(Column(f"x{place}", "number", 0, 100, 0.0, 1.0, 0.5) for place in range(100))


def parquet(rows: int) -> Dataset:
    return stored(Profile("table", "parquet", rows, (Column("y", "number", 0, 100, 0.0, 1.0, 0.5), *COLUMNS)))


def spec(dataset: Dataset, **fields: Any) -> JobSpec:
    chosen = {"name": "upload", "id": "ds_1"} | ({} if dataset.profile.form == "images" else {"target": "y"})
    return parse_spec({"dataset": chosen, "model": "linear", **fields}, found(dataset))


@pytest.mark.parametrize(
    ("rows", "resources", "streams"),
    [
        (1_000, {}, False),
        (2_684_354, {}, False),
        (2_684_355, {}, True),
        (1_000_000, {"memory_gb": 3}, True),
        (600_000, {"memory_gb": 3}, False),
    ],
)
def test_a_table_is_streamed_when_it_is_large_for_what_the_job_may_hold(
    rows: int, resources: dict[str, Any], streams: bool
) -> None:
    assert spec(parquet(rows), resources=resources).loader.streaming is streams


def test_what_was_asked_for_counts_whatever_the_size() -> None:
    assert not spec(parquet(2_684_355), loader={"streaming": False}, split={"validation": 0}).loader.streaming
    assert spec(parquet(100), loader={"streaming": True}).loader.streaming


def test_pictures_are_streamed_when_they_are_large() -> None:
    photos = stored(Profile("images", "zip", 2_000, shape=(3, 300, 300), classes=("cat", "dog")))
    assert spec(photos).loader.streaming


def test_a_stored_spec_of_before_goes_on_in_memory() -> None:
    stored_spec = spec(parquet(2_684_355)).model_dump(mode="json")
    del stored_spec["loader"]["streaming"]
    assert not parse_spec(stored_spec).loader.streaming


@pytest.mark.parametrize("dataset", ["digits", "upload"])
def test_what_cannot_be_read_in_pieces_is_refused_with_the_remedy(dataset: str) -> None:
    flowers = stored(Profile("table", "csv", 100, FLOWERS))
    chosen = {"name": "upload", "id": "ds_1", "target": "species"} if dataset == "upload" else dataset
    with pytest.raises(SpecRefused) as caught:
        parse_spec({"dataset": chosen, "model": "linear", "loader": {"streaming": True}}, found(flowers))
    [problem] = caught.value.problems
    assert problem.pointer == "/loader/streaming"
    assert "Parquet" in problem.message


def test_streaming_holds_more_than_memory_does() -> None:
    large = parquet(20_000_000)
    assert spec(large).loader.streaming
    with pytest.raises(SpecRefused, match="GiB"):
        spec(large, loader={"streaming": False})


def test_a_fork_goes_on_in_the_order_that_its_parent_had() -> None:
    with pytest.raises(SpecRefused) as caught:
        patched(spec(parquet(100)).model_dump(mode="json"), {"loader": {"streaming": True}}, epoch=1)
    assert [problem.pointer for problem in caught.value.problems] == ["/patch/loader/streaming"]
