"""Numbers that a run finds out itself: the run behind the search is the very run that was told them."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from core.errors import InvalidSpec
from core.events import EpochDone, Noticed, RunEvent, Started
from core.loop import load_model, train
from core.registry import optimizers
from core.spec import JobSpec, parse_spec
from tests.core.loop.conftest import TrainJob
from tests.core.loop.interrupting import After, Attempt, Bench, pieced
from tests.core.loop.test_memory import Cramped
from tests.core.uploading import Shelf

AUTO = {"lr": "auto", "batch_size": "auto"}
JOB: dict[str, Any] = {
    "dataset": {"name": "blobs", "samples": 300, "features": 5, "classes": 3, "noise": 4},
    "model": {"name": "mlp", "hidden": [8], "dropout": 0.3},
    "augment": ["noise"],
    "epochs": 3,
    "scheduler": "one_cycle",
    "checkpoints": {"every_s": None},
}
TRIED = [name for name in optimizers.names() if not optimizers.get(name).facts.keys() & {"full_batch", "extra"}]


def resolved(attempt: Attempt) -> dict[str, Any]:
    return dict(attempt.every(Started)[0].resolved or {})


def codes(events: list[RunEvent]) -> list[str]:
    return [event.code for event in events if isinstance(event, Noticed)]


def test_a_run_that_found_its_numbers_is_the_run_that_is_told_them(bench: Bench) -> None:
    found = bench.attempt({**JOB, **AUTO})
    numbers = resolved(found)
    assert numbers["batch_size"] == 32, "the largest power of two in a fifth of 240"
    assert 1e-4 < numbers["lr"] < 1
    assert found.notices == ["batch_size_found", "lr_found"]
    told = bench.attempt({**JOB, **numbers})
    assert found.bits == told.bits
    assert told.every(Started)[0].resolved is None


def test_numbers_are_found_with_workers_that_load_too(bench: Bench) -> None:
    job = {**JOB, "epochs": 1, "loader": {"num_workers": 1}}
    found = bench.attempt({**job, **AUTO})
    assert (
        found.bits == bench.attempt({**job, **resolved(found)}).bits == bench.attempt({**JOB, **AUTO, "epochs": 1}).bits
    )


def test_what_was_found_is_a_function_of_spec_and_data(bench: Bench) -> None:
    first, again = (resolved(bench.attempt({**JOB, **AUTO, "epochs": 1})) for _ in range(2))
    assert first == again


def test_a_run_goes_on_with_the_numbers_that_it_found(bench: Bench) -> None:
    job = {**JOB, **AUTO}
    whole = bench.attempt(job)
    stopped = bench.attempt(job, stop=After(12))
    [kept] = stopped.checkpoints
    later = bench.attempt(job, kept, numbers=resolved(stopped))
    assert later.notices == []
    assert resolved(later) == resolved(whole)
    assert pieced(stopped, kept, later) == whole.bits
    again = bench.attempt(job, numbers=resolved(stopped))
    assert (again.notices, again.bits) == ([], whole.bits)


def test_a_number_that_is_known_is_not_found_again(bench: Bench) -> None:
    known = bench.attempt({**JOB, **AUTO}, numbers={"lr": 0.02})
    assert resolved(known) == {"lr": 0.02, "batch_size": 32}
    assert known.notices == ["batch_size_found"]
    assert known.bits == bench.attempt({**JOB, "lr": 0.02, "batch_size": 32}).bits


@pytest.mark.parametrize("optimizer", TRIED)
def test_a_rate_is_found_for_every_optimizer(optimizer: str, tmp_path: Path) -> None:
    spec = parse_spec({"dataset": "iris", "model": "mlp", "optimizer": optimizer, "lr": "auto", "epochs": 10})
    rows = [event.row for event in train(spec, folder=tmp_path) if isinstance(event, EpochDone)]
    assert rows[-1].train_loss < 0.6, "not even the logarithm of the classes, 1.1"


def test_the_card_says_the_numbers_and_the_model_loads(train_job: TrainJob) -> None:
    told = train_job(**{**JOB, **AUTO, "epochs": 1})
    spec = told.card["spec"]
    assert {"lr": spec["lr"], "batch_size": spec["batch_size"]} == told.started.resolved
    assert told.started.steps_per_epoch == 8
    assert load_model(told.folder).training is False


@pytest.mark.parametrize("several", [{"split": {"folds": 2}}, {"seeds": 2}], ids=["folds", "seeds"])
def test_rounds_share_the_numbers_of_the_first(several: dict[str, Any], bench: Bench) -> None:
    found = bench.attempt({**JOB, **several, **AUTO, "epochs": 1})
    assert found.notices == ["batch_size_found", "lr_found"]
    assert found.bits == bench.attempt({**JOB, **several, **resolved(found), "epochs": 1}).bits


def test_a_batch_size_is_found_for_phases_too(bench: Bench) -> None:
    phases = [{"optimizer": "adam", "lr": 0.01, "epochs": 1}, {"optimizer": "sgd", "lr": 0.001, "epochs": 1}]
    job = {name: value for name, value in JOB.items() if name not in ("epochs", "scheduler")}
    found = bench.attempt({**job, "batch_size": "auto", "phases": phases})
    assert resolved(found) == {"batch_size": 32}
    assert found.bits == bench.attempt({**job, "batch_size": 32, "phases": phases}).bits


def test_text_and_what_is_streamed_find_their_numbers(tmp_path: Path) -> None:
    shelf, fields = Shelf(tmp_path), {**AUTO, "epochs": 1}
    gpt = {"name": "gpt", "n_layer": 1, "n_head": 2, "n_embd": 8}
    text = shelf.put("a.txt", b"the cat sat on the mat, and the dog did not. " * 60)
    file, x = io.BytesIO(), np.random.default_rng(0).normal(size=400)
    pl.DataFrame({"x": x, "y": 2 * x}).write_parquet(file)
    table = shelf.put("a.parquet", file.getvalue())
    specs: list[JobSpec] = [
        shelf.spec(text, {}, model=gpt, preprocess={"block_size": 16}, **fields),
        shelf.spec(table, {"target": "y"}, loader={"streaming": True}, **fields),
    ]
    for spec in specs:
        [started] = [one for one in train(spec, folder=tmp_path, datasets=tmp_path) if isinstance(one, Started)]
        assert started.resolved is not None
        size = int(started.resolved["batch_size"])
        assert size <= spec.train_samples / 5 < 2 * size


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"scheduler": {"name": "cosine", "min_lr": 100}}, "/scheduler/min_lr"),
        ({"model": {"name": "mlp", "batch_norm": True}, "split": {"validation": 0.25}}, "/batch_size"),
        ({"micro_batch_size": 200}, "/micro_batch_size"),
    ],
)
def test_numbers_that_do_not_fit_the_rest_end_the_job_with_the_place(
    fields: dict[str, Any], param: str, tmp_path: Path
) -> None:
    job = {**JOB, **AUTO, "scheduler": "constant", **fields}
    with pytest.raises(InvalidSpec) as caught:
        list(train(parse_spec(job), folder=tmp_path))
    assert caught.value.param == param
    assert caught.value.hint


def test_a_test_without_room_for_a_batch_goes_through_in_pieces(bench: Bench, cramp: Callable[[int], None]) -> None:
    cramp(10)
    job = {**JOB, "lr": "auto", "batch_size": 24, "on_out_of_memory": "accumulate", "epochs": 1}
    found = bench.attempt(job)
    assert found.notices == ["lr_found", "micro_batch", "micro_batch"]
    told: list[RunEvent] = []
    with pytest.raises(Exception, match="no room"):
        bench.attempt({**job, "on_out_of_memory": "fail"}, into=told)
    assert not told


def test_a_batch_is_as_large_as_fits(bench: Bench, cramp: Callable[[int], None]) -> None:
    cramp(10)
    assert resolved(bench.attempt({**JOB, "batch_size": "auto", "epochs": 1})) == {"batch_size": 8}


@pytest.fixture
def cramp(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """From now on a model has room for so many samples."""
    from core.loop import assembly

    make = assembly.make_model

    def to(room: int) -> None:
        monkeypatch.setattr(
            assembly, "make_model", lambda spec: Cramped(make(spec), room, lambda: MemoryError("no room"))
        )

    return to
