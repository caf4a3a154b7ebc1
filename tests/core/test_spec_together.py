"""What is refused although each field is right by itself, since it could only fail later."""

from __future__ import annotations

from typing import Any

import pytest

from core.errors import SpecRefused
from core.job import Problem
from core.spec import parse_spec

NORMED = {"name": "mlp", "batch_norm": True}


def _refused(**spec: Any) -> Problem:
    with pytest.raises(SpecRefused) as caught:
        parse_spec({"dataset": "iris", "model": "linear", **spec})
    (problem,) = caught.value.problems
    return problem


def _taken(**spec: Any) -> None:
    parse_spec({"dataset": "iris", "model": "linear", **spec})


def test_batch_norm_takes_no_last_batch_of_one_sample() -> None:
    # 120 training samples make seven batches of 17 and one of 1
    problem = _refused(model=NORMED, batch_size=17)
    assert problem.pointer == "/batch_size"
    assert problem.message.startswith("17 makes a last batch of 1 of 120 training samples")
    _taken(model=NORMED, batch_size=17, loader={"drop_last": True})
    _taken(model=NORMED, batch_size=16)
    _taken(model="mlp", batch_size=17)


def test_batch_norm_takes_no_batches_of_one_at_all() -> None:
    assert _refused(model=NORMED, batch_size=1).pointer == "/batch_size"
    assert _refused(model=NORMED, batch_size=1, loader={"drop_last": True}).pointer == "/batch_size"


def test_drop_last_leaves_a_step() -> None:
    problem = _refused(batch_size=121, loader={"drop_last": True})
    assert (problem.pointer, problem.allowed) == ("/loader/drop_last", [False])
    _taken(batch_size=120, loader={"drop_last": True})
    _taken(batch_size=121)


def test_numbers_cannot_be_stratified() -> None:
    problem = _refused(dataset="diabetes", split={"stratify": True})
    assert (problem.pointer, problem.allowed) == ("/split/stratify", [False])
    _taken(dataset="diabetes", split={"stratify": False})


def test_a_stratified_split_has_room_for_every_class_on_both_sides() -> None:
    assert _refused(split={"validation": 0.01}).pointer == "/split/validation"
    _taken(split={"validation": 0.01, "stratify": False})
    _taken(split={"validation": 0.02})
    assert _refused(split={"validation": 0.99}).pointer == "/split/validation"


def test_a_split_leaves_samples_to_train_on() -> None:
    problem = _refused(dataset={"name": "linear", "samples": 10}, split={"validation": 0.99})
    assert problem.pointer == "/split/validation"
    assert "leaves none to train on" in problem.message


def test_a_target_of_classes_has_no_scale() -> None:
    assert _refused(preprocess={"target": "standard"}).pointer == "/preprocess/target"
    _taken(dataset="diabetes", preprocess={"target": "standard"})


@pytest.mark.parametrize(
    ("dataset", "loss", "allowed"),
    [
        ("iris", "mse", ["cross_entropy"]),
        ("iris", "bce", ["cross_entropy"]),
        ("moons", "huber", ["cross_entropy", "bce"]),
        ("diabetes", "cross_entropy", ["mse", "mae", "huber"]),
        ("diabetes", {"name": "bce"}, ["mse", "mae", "huber"]),
    ],
)
def test_a_loss_fits_the_target(dataset: str, loss: Any, allowed: list[str]) -> None:
    problem = _refused(dataset=dataset, loss=loss)
    assert (problem.pointer, problem.allowed) == ("/loss", allowed)


def test_a_metric_fits_the_target() -> None:
    problem = _refused(metrics=["accuracy", "r2"])
    assert (problem.pointer, problem.allowed) == ("/metrics/1", ["accuracy", "f1", "auroc"])
    assert problem.message == 'The metric "r2" is not for a target of 3 classes.'


def test_a_metric_is_named_once() -> None:
    assert _refused(metrics=["accuracy", {"name": "accuracy"}]).pointer == "/metrics/1"


def test_metrics_need_a_validation_part() -> None:
    problem = _refused(split={"validation": 0}, metrics=["accuracy"])
    assert (problem.pointer, problem.allowed) == ("/metrics", [])
    _taken(split={"validation": 0}, metrics=[])


def test_r2_needs_two_validation_samples() -> None:
    assert _refused(dataset="diabetes", metrics=["r2"], split={"validation": 0.001}).pointer == "/metrics/0"
    _taken(dataset="diabetes", metrics=["rmse"], split={"validation": 0.001})


@pytest.mark.parametrize(
    ("spec", "monitor"),
    [
        ({}, "val_f1"),
        ({}, "accuracy"),
        ({}, "lr"),
        ({"split": {"validation": 0}}, "val_loss"),
        ({"metrics": ["f1"]}, "val_accuracy"),
    ],
)
def test_what_is_monitored_exists(spec: dict[str, Any], monitor: str) -> None:
    problem = _refused(**spec, early_stopping={"monitor": monitor})
    assert problem.pointer == "/early_stopping/monitor"
    assert "train_loss" in problem.allowed
    for known in problem.allowed:
        _taken(**spec, early_stopping={"monitor": known})


def test_what_tells_the_best_checkpoints_exists() -> None:
    problem = _refused(checkpoints={"monitor": "val_f1"})
    assert (problem.pointer, problem.allowed) == ("/checkpoints/monitor", ["train_loss", "val_loss", "val_accuracy"])
    _taken(checkpoints={"monitor": "val_f1"}, metrics=["f1"])
    assert _refused(checkpoints={"monitor": "val_los"}, early_stopping={}).pointer == "/checkpoints/monitor"


@pytest.mark.parametrize("monitor", ["val_f1", 5, "x" * 101])
def test_a_figure_that_the_checkpoints_took_over_is_told_of_once(monitor: Any) -> None:
    assert _refused(early_stopping={"monitor": monitor}).pointer == "/early_stopping/monitor"


def test_batch_norm_takes_no_accumulated_gradients() -> None:
    problem = _refused(model=NORMED, on_out_of_memory="accumulate")
    assert (problem.pointer, problem.allowed) == ("/on_out_of_memory", ["fail"])
    assert "batch norm" in problem.message
    _taken(model=NORMED, on_out_of_memory="fail")
    _taken(model="mlp", on_out_of_memory="accumulate")
    _taken(optimizer="lbfgs", batch_size=150, on_out_of_memory="accumulate")


@pytest.mark.parametrize(
    ("section", "value"),
    [
        ("checkpoints", {"every_s": -1}),
        ("checkpoints", {"every_epochs": 0}),
        ("checkpoints", {"keep_last": 0}),
        ("checkpoints", {"keep_last": 101}),
        ("checkpoints", {"keep_best": -1}),
        ("checkpoints", {"every": 5}),
        ("checkpoints", {"every_s": True}),
        ("resources", {"memory_gb": 0}),
        ("resources", {"memory_gb": "4"}),
    ],
)
def test_a_setting_of_lasting_is_bounded(section: str, value: dict[str, Any]) -> None:
    assert _refused(**{section: value}).pointer == f"/{section}/{next(iter(value))}"


@pytest.mark.parametrize("value", [0, -1, "60", True, 1e12])
@pytest.mark.parametrize("field", ["deadline_s", "stall_timeout_s"])
def test_a_time_is_a_positive_number_of_seconds(field: str, value: Any) -> None:
    assert _refused(**{field: value}).pointer == f"/{field}"


def test_memory_that_torch_alone_would_fill_is_refused_with_the_reason() -> None:
    problem = _refused(resources={"memory_gb": 0.2})
    assert problem.message.startswith("0.2 is not allowed here: a run holds some 0.4 GB")
    assert problem.allowed == {"maximum": 65536, "minimum": 0.5, "type": "number"}
    _taken(resources={"memory_gb": 0.5})


def test_a_model_of_images_takes_no_tables() -> None:
    problem = _refused(model="cnn")
    assert (problem.pointer, problem.allowed) == (
        "/model",
        ["linear", "mlp", "layers", "resmlp", "cnn1d", "rnn", "ft_transformer"],
    )


def test_pooling_leaves_something_of_the_image() -> None:
    problem = _refused(dataset="digits", model={"name": "cnn", "channels": [4, 4, 4, 4]})
    assert (problem.pointer, problem.allowed) == ("/model/channels", {"maxItems": 3})
    _taken(dataset="digits", model={"name": "cnn", "channels": [4, 4, 4]})
    _taken(dataset="digits", model={"name": "cnn", "channels": [4] * 10, "pool": 1})
    assert _refused(dataset="digits", model={"name": "cnn", "channels": [4], "pool": 9}).pointer == "/model/channels"


def test_lbfgs_takes_the_full_batch_only() -> None:
    problem = _refused(optimizer="lbfgs", batch_size=119)
    assert (problem.pointer, problem.allowed) == ("/batch_size", {"minimum": 120})
    _taken(optimizer="lbfgs", batch_size=120)
    _taken(optimizer="lbfgs", batch_size=150)


@pytest.mark.parametrize(("name", "extra"), [("cosine", {}), ("one_cycle", {}), ("multistep", {"milestones": [1]})])
def test_a_warm_up_ends_before_the_run_does(name: str, extra: dict[str, Any]) -> None:
    problem = _refused(epochs=5, scheduler={"name": name, **extra, "warmup_epochs": 5})
    assert (problem.pointer, problem.allowed) == ("/scheduler/warmup_epochs", {"maximum": 4})
    _taken(epochs=5, scheduler={"name": name, **extra, "warmup_epochs": 4})


@pytest.mark.parametrize("name", ["cosine", "plateau"])
def test_a_schedule_that_falls_begins_above_its_floor(name: str) -> None:
    problem = _refused(lr=0.01, scheduler={"name": name, "min_lr": 0.1})
    assert (problem.pointer, problem.allowed) == ("/scheduler/min_lr", {"maximum": 0.01})
    _taken(lr=0.01, scheduler={"name": name, "min_lr": 0.01})


def test_nesterov_needs_momentum_and_no_dampening() -> None:
    assert _refused(optimizer={"name": "sgd", "nesterov": True}).pointer == "/optimizer/nesterov"
    damped = {"name": "sgd", "nesterov": True, "momentum": 0.9, "dampening": 0.1}
    assert _refused(optimizer=damped).pointer == "/optimizer/dampening"


def test_blobs_hold_a_sample_of_each_class() -> None:
    assert _refused(dataset={"name": "blobs", "samples": 4, "classes": 5}).pointer == "/dataset/samples"


@pytest.mark.parametrize(
    ("spec", "pointer"),
    [
        ({"model": {"name": "mlp", "hidden": [65_536, 65_536]}}, "/model"),
        ({"dataset": {"name": "random", "samples": 10_000_000, "features": 1_000}}, "/dataset"),
        ({"model": {"name": "mlp", "hidden": [9_000, 9_000]}, "optimizer": "lbfgs", "batch_size": 150}, "/model"),
        (
            {
                "dataset": {"name": "moons", "samples": 10_000_000},
                "model": {"name": "mlp", "hidden": [4_096, 4_096]},
                "batch_size": 1_048_576,
            },
            "/batch_size",
        ),
        ({"dataset": {"name": "blobs", "samples": 1_000_000, "classes": 10_000}}, "/split/validation"),
    ],
)
def test_what_no_worker_could_hold_is_refused_by_arithmetic(spec: dict[str, Any], pointer: str) -> None:
    assert _refused(**spec).pointer == pointer


def test_a_check_rests_only_on_what_is_sound() -> None:
    with pytest.raises(SpecRefused) as caught:
        parse_spec({"dataset": "iris", "model": NORMED, "batch_size": 17, "split": {"validation": 2}})
    assert [problem.pointer for problem in caught.value.problems] == ["/split/validation"]
