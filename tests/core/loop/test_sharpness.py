"""How sharp a minimum is: by hand where it can be told, alike where networks are alike, and never moving a weight."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from core.errors import SpecRefused
from core.events import EpochDone, Finished
from core.job import Progress
from core.loading.data import make
from core.loading.order import generator
from core.loop import Saving, load_model, train
from core.loop.assembly import assemble
from core.loop.pace import Pace
from core.loop.run import Run
from core.loop.sharpness import measure, shaken
from core.spec import parse_spec
from tests.core.loop.conftest import TrainJob
from tests.core.loop.interrupting import Bench, pieced

CPU = torch.device("cpu")
JOB: dict[str, Any] = {
    "dataset": {"name": "blobs", "samples": 120, "noise": 4},
    "model": {"name": "mlp", "hidden": [8]},
    "lr": 0.02,
    "epochs": 3,
    "sharpness": {},
}


def a_run(**fields: Any) -> Run:
    spec = parse_spec({**JOB, **fields})
    return assemble(spec, make(spec, cache=None), device=CPU)


def measured(run: Run) -> dict[str, float]:
    """What is measured in the end."""

    def ended() -> Generator[Progress, None, None]:
        found.update((yield from measure(run)) or {})

    found: dict[str, float] = {}
    list(ended())
    return found


def set_weights(model: nn.Module, *weights: Tensor) -> None:
    with torch.no_grad():
        for mine, given in zip(model.parameters(), weights, strict=True):
            mine.copy_(given)


class Parabola(nn.Module):
    """Gives a weight w, whose squared error against 0 is w²."""

    def __init__(self, w: float) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.tensor([[w]]))

    def forward(self, x: Tensor) -> Tensor:
        return self.w.expand(len(x), 1)


def test_on_a_parabola_the_rise_is_that_of_w_moved_by_the_radius() -> None:
    run = a_run(sharpness={"radius": 0.1, "directions": 16}, dataset="diabetes", model="linear", loss="mse")
    run.model = Parabola(1.0)
    run.loss = lambda prediction, _: (prediction**2).mean() / 2
    found = measured(run)
    up, down = (1.1**2 - 1) / 2, (0.9**2 - 1) / 2
    ways = [torch.randn(1, 1, generator=generator(0, 0, place)).item() > 0 for place in range(16)]
    assert 0 < sum(ways) < 16
    assert found["cost"] == 0.5
    assert found["max"] == pytest.approx(up, rel=1e-5)
    assert found["mean"] == pytest.approx((up * sum(ways) + down * (16 - sum(ways))) / 16, rel=1e-5)


def test_a_filter_moves_by_the_radius_of_its_own_norm_and_biases_stay() -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4, 2))
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    with shaken(model, generator(1, 2), radius=0.25):
        for name, weight in model.state_dict().items():
            moved = (weight - before[name]).float().flatten(1) if weight.dim() > 1 else weight - before[name]
            if weight.dim() > 1:
                expected = 0.25 * before[name].flatten(1).norm(dim=1)
                torch.testing.assert_close(moved.norm(dim=1), expected)
            else:
                assert not moved.any(), name
    assert all(torch.equal(weight, before[name]) for name, weight in model.state_dict().items())


@pytest.mark.parametrize("scale", [4.0, 0.125])
def test_a_relu_network_of_other_scales_is_as_sharp(scale: float) -> None:
    plain, other = a_run(), a_run()
    first, bias, second, last = plain.model.parameters()
    set_weights(other.model, first * scale, bias * scale, second / scale, last)
    assert measured(plain) == measured(other), "bit for bit: the scales are powers of two"
    assert measured(plain)["max"] > 0


def test_a_narrow_valley_is_sharper_than_a_wide_one() -> None:
    """The same data, fitted as well, by two logistic regressions of which one is twenty times as sure."""
    wide, narrow = (a_run(dataset="breast_cancer", model="linear", sharpness={"samples": None}) for _ in range(2))
    weight, bias = (torch.randn(one.shape, generator=generator(3)) * 0.2 for one in wide.model.parameters())
    set_weights(wide.model, weight, bias)
    set_weights(narrow.model, weight * 20, bias * 20)
    assert measured(narrow)["mean"] > 5 * measured(wide)["mean"]


def test_what_is_measured_is_told_and_lies_beside_the_weights(train_job: TrainJob) -> None:
    told = train_job(**{**JOB, "epochs": 40}, split={"test": 0.2}, early_stopping={"patience": 40})
    found = told.finished.sharpness
    assert found is not None
    assert found["samples"] == 72
    assert 0 < found["mean"] <= found["max"]
    assert told.card["figures"]["sharpness"] == found
    kept = next(row for row in told.rows if row.epoch == told.card["weights"]["epoch"])
    assert found["cost"] == pytest.approx(kept.train_loss, rel=0.1)


def test_the_weights_are_those_of_a_job_that_is_not_measured(train_job: TrainJob) -> None:
    ways: list[dict[str, Any]] = [{}, {"early_stopping": {}}, {"ema": {"decay": 0.9}}]
    for more in [*ways, {"seeds": 2}, {"split": {"folds": 2}}]:
        plain, shaken_one = train_job(**{**JOB, **more, "sharpness": None}), train_job(**JOB, **more)
        assert plain.finished.sharpness is None
        assert shaken_one.finished.sharpness is not None
        for one, other in zip(_weights(plain.folder), _weights(shaken_one.folder), strict=True):
            assert torch.equal(one, other)
        assert plain.figures == shaken_one.figures


def _weights(folder: Path) -> Iterator[Tensor]:
    yield from load_model(folder).state_dict().values()


def test_it_rests_on_the_seed_and_is_the_same_after_a_resume(bench: Bench) -> None:
    job = {**JOB, "model": {"name": "mlp", "hidden": [8], "dropout": 0.5}, "checkpoints": {"every_s": 0}}
    first = bench.attempt(job)
    assert first.every(Finished)[0].sharpness
    for kept in first.checkpoints[::3]:
        assert pieced(first, kept, bench.attempt(job, kept)) == first.bits
    assert measured(a_run()) != measured(a_run(seed=1))
    few, more = (a_run(sharpness={"directions": many}) for many in (1, 8))
    assert measured(few)["max"] <= measured(more)["max"], "the first direction is among the eight"


@pytest.mark.parametrize("samples", [None, 10, 4_096])
def test_the_cost_is_taken_over_as_many_samples_as_are_asked_for(samples: int | None) -> None:
    found = measured(a_run(sharpness={"samples": samples}))
    assert found["samples"] == min(samples or 96, 96)


def test_batch_norm_keeps_what_it_has_seen() -> None:
    run = a_run(model={"name": "mlp", "hidden": [8], "batch_norm": True})
    before = {name: weight.clone() for name, weight in run.model.state_dict().items()}
    measured(run)
    assert all(torch.equal(weight, before[name]) for name, weight in run.model.state_dict().items())


@pytest.mark.parametrize(
    "fields",
    [
        {"model": "autoencoder"},
        {"dataset": "digits", "model": {"name": "cnn", "channels": [4]}, "augment": ["flip", "mixup"]},
        {"loader": {"num_workers": 1, "shuffle": False}},
        {"phases": [{"epochs": 1}, {"optimizer": "sgd", "epochs": 1}], "epochs": 2, "lr": 0.001},
        {"precision": "bf16"},
    ],
    ids=["autoencoder", "pictures", "workers", "phases", "bf16"],
)
def test_it_goes_together_with_the_rest(train_job: TrainJob, fields: dict[str, Any]) -> None:
    found = train_job(**{**JOB, **fields}).finished.sharpness
    assert found is not None
    assert found["mean"] != 0


def test_it_tells_how_long_it_will_take(tmp_path: Path) -> None:
    run = a_run()
    run.pace = Pace(3, 3, clock=iter(range(99)).__next__)
    readings = list(measure(run))
    assert len(readings) == 10
    assert {type(one) for one in readings} == {Progress}
    assert readings[-1].eta_s == 0
    events = list(train(run.spec, folder=tmp_path, save=Saving()))
    assert [type(one) for one in events[-2:]] == [EpochDone, Finished]


@pytest.mark.parametrize(
    ("wanted", "pointer"),
    [({"radius": 0}, "/sharpness/radius"), ({"directions": 0}, "/sharpness/directions"), (True, "/sharpness")],
)
def test_what_cannot_be_measured_is_refused(wanted: Any, pointer: str) -> None:
    with pytest.raises(SpecRefused) as refused:
        parse_spec({**JOB, "sharpness": wanted})
    assert [problem.pointer for problem in refused.value.problems] == [pointer]
