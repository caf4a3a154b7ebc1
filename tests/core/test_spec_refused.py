"""What a spec is refused for: all of it at once, with pointer, value, range and nearest names."""

from __future__ import annotations

from typing import Any

import pytest

from core.errors import SpecRefused
from core.job import Problem
from core.spec import parse_spec

BASE: dict[str, Any] = {"dataset": "digits", "model": "mlp"}
NAN, INF = float("nan"), float("inf")


def refused(data: Any) -> dict[str, Problem]:
    with pytest.raises(SpecRefused) as caught:
        parse_spec(data)
    return {problem.pointer: problem for problem in caught.value.problems}


def _with(pointer: str, value: Any) -> dict[str, Any]:
    """A good spec but for one value."""
    section, _, key = pointer.strip("/").partition("/")
    named = {"dataset": "moons", "model": "mlp", "optimizer": "adam", "scheduler": "constant"}
    inner = {"name": "cnn" if key == "kernel_size" else named[section]} if section in named else {}
    return {**BASE, section: {**inner, key: value} if key else value}


BOUNDS: list[tuple[str, list[Any]]] = [
    ("/epochs", [0, -1, 100_001, 10**9, 1.5, "10", True, None, NAN]),
    ("/batch_size", [0, 1_048_577, 10**9, 32.0, False]),
    ("/lr", [0, -0.1, NAN, INF, -INF, 10**400, "0.1", True, None, 1_000_001]),
    ("/seed", [-1, 2**63, 1.0, True]),
    ("/priority", [-1001, 1001, 0.0]),
    ("/micro_batch_size", [0, -1, 1.0, True, "8"]),
    ("/clip_grad_norm", [0, -1, NAN, True]),
    ("/precision", ["float16", "FP16", 16, None, True]),
    ("/ema/decay", [-0.1, 1, 1.0, NAN, "0.9", None]),
    ("/freeze", ["layers.*", None, {}]),
    ("/compile", [1, 0, "yes", None]),
    ("/clip_grad_value", [0, -1, NAN, True]),
    ("/split/validation", [-0.1, 1, 1.0, 20, NAN, None, "0.2", False]),
    ("/split/seed", [-1, 2**63, 0.5]),
    ("/split/stratify", [1, "true", None]),
    ("/preprocess/features", ["standardise", None, True]),
    ("/preprocess/target", ["minmax", 0]),
    ("/early_stopping/patience", [0, 100_001, 1.0]),
    ("/early_stopping/min_delta", [-1, NAN, "0"]),
    ("/early_stopping/monitor", [1, None]),
    ("/early_stopping/restore_best", [0, "yes"]),
    ("/loader/num_workers", [-1, 65, 10**6, True]),
    ("/loader/shuffle", [1]),
    ("/loader/drop_last", [0]),
    ("/loader/pin_memory", ["yes", 1, 0, None]),
    ("/resources/device", ["gpu", "cuda:", "cuda:x", "cuda:-1", "cuda:01", "cuda:100", "CPU", "cpu\n", None, 0]),
    ("/resources/threads", [0, 257, 1.0]),
    ("/resources/queue", ["", "GPU", "a b", "-gpu", "x" * 65, 5, "gpu\n"]),
    ("/name", ["", "x" * 201, "a\x00b", "a\nb", "\ud800", 5, None]),
    ("/labels", [{"a b": "c"}, {"": "c"}, {"a": 1}, {"a": "x" * 201}, {"a": "\x1b"}, ["a"], None]),
    ("/model/hidden", [[], [0], [65_537], [1.0], [True], "128", 128, {"0": 1}, [8] * 65]),
    ("/model/kernel_size", [2, 0, 33, True, 3.0, "3"]),
    ("/model/dropout", [1, 1.0, -0.1, NAN]),
    ("/model/activation", ["softmax", None]),
    ("/dataset/samples", [1, 10**9, 2.5]),
    ("/dataset/noise", [-1, INF]),
    ("/optimizer/betas", [[0.9], [0.9, 1.0], [0.9, 0.99, 0.999], 0.9]),
    ("/optimizer/eps", [0, NAN]),
    ("/scheduler/warmup_epochs", [-1, 0.5, 10**6]),
    ("/metrics", ["accuracy", ["accuracy"] * 17, None, {"name": "accuracy"}]),
]


@pytest.mark.parametrize(
    ("pointer", "value"),
    [(pointer, value) for pointer, values in BOUNDS for value in values],
    ids=lambda value: value if isinstance(value, str) and value.startswith("/") else "",
)
def test_a_value_out_of_bounds_is_refused_where_it_stands(pointer: str, value: Any) -> None:
    found = refused(_with(pointer, value))
    assert all(one == pointer or one.startswith(pointer + "/") for one in found), found
    assert all(problem.message.endswith((".", "?")) for problem in found.values())
    assert all(problem.allowed is not None for problem in found.values())


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("/epochs", 100_000),
        ("/batch_size", 1_048_576),
        ("/seed", 2**63 - 1),
        ("/lr", 1_000_000),
        ("/loader/num_workers", 64),
        ("/loader/pin_memory", False),
        ("/resources/device", "cuda:0"),
        ("/resources/device", "cuda"),
        ("/resources/device", "mps"),
        ("/resources/queue", "node-7.gpu_a"),
        ("/name", "größe 数字 🙂"),
        ("/labels", {"team/a": "größe", "b": ""}),
        ("/model/hidden", [8] * 64),
        ("/model/hidden", [65_536]),
        ("/dataset/seed", 2**63 - 1),
    ],
)
def test_a_value_on_the_bound_is_taken(pointer: str, value: Any) -> None:
    parse_spec(_with(pointer, value))


def test_the_message_names_the_value_and_the_answer_the_whole_range() -> None:
    problem = refused({**BASE, "epochs": 0})["/epochs"]
    assert problem.message == "0 is not allowed here: input should be greater than or equal to 1."
    assert problem.allowed == {"type": "integer", "minimum": 1, "maximum": 100_000}


@pytest.mark.parametrize(
    ("spec", "pointer", "message"),
    [
        ({"model": "mpl"}, "/model", '"mpl" is not a known model. Did you mean "mlp"?'),
        ({"model": {"name": "mpl"}}, "/model/name", '"mpl" is not a known model. Did you mean "mlp"?'),
        ({"dataset": "digit"}, "/dataset", '"digit" is not a known dataset. Did you mean "digits"?'),
        (
            {"metrics": ["acuracy"]},
            "/metrics/0",
            '"acuracy" is not a known metric. Did you mean "accuracy" or "auroc"?',
        ),
        ({"optimizer": "Adam"}, "/optimizer", '"Adam" is not a known optimizer. Did you mean "adam" or "radam"?'),
        ({"epoch": 1}, "/epoch", '"epoch" is not a setting of a spec. Did you mean "epochs"?'),
        (
            {"model": {"name": "mlp", "hiden": [1]}},
            "/model/hiden",
            '"hiden" is not a setting of the model mlp. Did you mean "hidden"?',
        ),
        (
            {"loader": {"worker": 1}},
            "/loader/worker",
            '"worker" is not a setting of `loader`. Did you mean "num_workers"?',
        ),
        ({"early_stopping": {"monitor": "val_acc"}}, "/early_stopping/monitor", None),
    ],
)
def test_a_wrong_name_is_answered_with_the_nearest_known_ones(
    spec: dict[str, Any], pointer: str, message: str | None
) -> None:
    problem = refused({**BASE, **spec})[pointer]
    assert "Did you mean" in problem.message
    assert message in {None, problem.message}
    assert isinstance(problem.allowed, list)


@pytest.mark.parametrize("name", ["os.system", "__import__", "{{7*7}}", "core.parts", "../../etc/passwd", ""])
def test_a_spec_reaches_no_code_by_name(name: str) -> None:
    for field in ("dataset", "model", "loss", "optimizer", "scheduler"):
        assert list(refused({**BASE, field: name})) == [f"/{field}"]


def test_dataset_and_model_are_required_and_known_ones_named() -> None:
    found = refused({})
    assert list(found) == ["/dataset", "/model"]
    assert "mlp" in found["/model"].allowed["enum"]


@pytest.mark.parametrize("data", [None, [], "digits", 5, True, [BASE]])
def test_what_is_no_object_is_no_spec(data: Any) -> None:
    assert list(refused(data)) == [""]


def test_all_problems_come_back_at_once() -> None:
    found = refused(
        {
            "dataset": "diabetes",
            "model": {"name": "cnn", "kernel_size": 2},
            "split": {"seed": -1, "stratify": True},
            "loss": {"name": "bce"},
            "lr": NAN,
            "epochs": 3,
            "batch_size": 1.5,
            "scheduler": {"name": "cosine", "warmup_epochs": 3},
            "metrics": ["accuracy", "nope", {"name": "rmse"}, "rmse"],
            "early_stopping": {"patience": 0, "monitor": "val_loss"},
            "loader": {"num_workers": 65},
            "labels": {"a": 5},
            "extra": 1,
        }
    )
    assert set(found) == {
        "/model",  # no images
        "/model/kernel_size",
        "/split/seed",
        "/split/stratify",
        "/loss",
        "/lr",
        "/batch_size",
        "/scheduler/warmup_epochs",
        "/metrics/0",
        "/metrics/1",
        "/metrics/3",
        "/early_stopping/patience",
        "/loader/num_workers",
        "/labels/a",
        "/extra",
    }
