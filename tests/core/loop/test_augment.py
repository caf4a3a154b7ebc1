"""Augmented runs: the same bits however they are fed and however often they end, and nothing else changes."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from core.loading import data
from core.loading.preprocess import fit
from core.loop import augment
from core.loop.assembly import assemble
from core.loop.run import Run
from core.loop.step import find_gradients
from core.registry import losses
from core.spec import parse_spec
from tests.core.intake.zipping import zipped
from tests.core.loop.conftest import TrainJob
from tests.core.loop.interrupting import Bench
from tests.core.loop.test_resume import resumes_exactly
from tests.core.uploading import Shelf

CPU = torch.device("cpu")
ALL = [
    "flip", {"name": "crop", "padding": 1}, {"name": "resized_crop", "scale": [0.5, 1]}, "affine", "color", "noise",
    {"name": "cutout", "length": 2}, "random_erasing", "mixup", "cutmix",
]  # fmt: skip
JOB: dict[str, Any] = {
    "dataset": "digits",
    "split": {"validation": 0.9},
    "model": {"name": "mlp", "hidden": [8], "dropout": 0.5},
    "augment": ALL,
    "batch_size": 50,
    "epochs": 2,
}


def run_of(fields: dict[str, Any], cache: Path) -> Run:
    spec = parse_spec(fields)
    return assemble(spec, data.make(spec, cache=cache), device=CPU)


def test_an_augmented_run_goes_on_exactly_from_every_batch(bench: Bench) -> None:
    resumes_exactly(bench, JOB)


@pytest.mark.filterwarnings("ignore:This DataLoader will create")
def test_it_is_the_same_with_and_without_loader_processes(bench: Bench) -> None:
    apart = bench.attempt({**JOB, "loader": {"num_workers": 2}})
    assert apart.bits[:-1] == bench.attempt(JOB).bits[:-1]


def test_batches_differ_from_epoch_to_epoch_and_are_those_of_their_place(cache: Path) -> None:
    run = run_of({**JOB, "loader": {"shuffle": False}}, cache)
    first, again = list(run.batches()), list(run.batches())
    assert all(torch.equal(one.x, other.x) for one, other in zip(first, again, strict=True))
    run.position.step = 2
    assert torch.equal(next(run.batches()).x, first[2].x)
    run.position.epoch, run.position.step = 1, 0
    assert not torch.equal(next(run.batches()).x, first[0].x)


def test_what_is_held_back_and_the_generators_stay_untouched(cache: Path) -> None:
    run, plain = (run_of({**JOB, "augment": parts}, cache) for parts in (ALL, []))
    before = torch.get_rng_state()
    assert len(list(run.batches())) == 4
    assert torch.equal(before, torch.get_rng_state())
    assert run.data.digest == plain.data.digest


def test_micro_batches_see_the_batch_that_was_augmented_as_a_whole(cache: Path) -> None:
    fields = {**JOB, "model": {"name": "mlp", "hidden": [8]}, "on_out_of_memory": "accumulate"}
    run = run_of(fields, cache)
    batch = next(run.batches())
    whole = float(find_gradients(run, batch).detach())
    gradients = [weight.grad.clone() for weight in run.model.parameters() if weight.grad is not None]
    run.position.micro_batch = 7
    assert float(find_gradients(run, batch)) == pytest.approx(whole, rel=1e-5)
    for gradient, weight in zip(gradients, run.model.parameters(), strict=True):
        assert weight.grad is not None
        assert torch.allclose(weight.grad, gradient, atol=1e-6)


@pytest.mark.parametrize(
    ("fields", "shape"),
    [
        ({"dataset": "digits"}, (16, 10)),
        ({"dataset": "breast_cancer"}, (16,)),
        ({"dataset": "breast_cancer", "loss": "cross_entropy"}, (16, 2)),
        ({"dataset": "diabetes"}, (16, 1)),
    ],
    ids=["classes", "one_logit", "two_scores", "numbers"],
)
def test_mixed_targets_are_as_the_loss_takes_them(fields: Any, shape: tuple[int, ...], cache: Path) -> None:
    mix = {"name": "mixup", "alpha": 1.0}
    run = run_of({"model": "linear", **fields, "augment": [mix], "batch_size": 16}, cache)
    batch = next(run.batches())
    assert (batch.y.shape, batch.y.dtype) == (shape, torch.float32)
    assert run.loss(run.model(batch.x), batch.y).isfinite()


def test_shares_of_classes_cost_what_the_classes_cost_in_these_shares() -> None:
    score, shares = torch.tensor([[2.0, -1.0, 0.5]]), torch.tensor([[0.7, 0.0, 0.3]])
    loss = losses.build(losses.choose("cross_entropy"))
    apart = 0.7 * loss(score, torch.tensor([0])) + 0.3 * loss(score, torch.tensor([2]))
    assert loss(score, shares) == pytest.approx(float(apart))


@pytest.mark.parametrize("features", ["standard", "minmax", "per_channel", "none"])
@pytest.mark.parametrize("model", ["cnn", "linear"])
def test_pixels_are_changed_in_their_own_unit_however_they_are_scaled(features: str, model: str, cache: Path) -> None:
    asked = ["flip", {"name": "crop", "padding": 2}, {"name": "color", "brightness": 1}]
    run = run_of({**JOB, "model": model, "preprocess": {"features": features}, "augment": asked}, cache)
    plain = run_of({**JOB, "model": model, "preprocess": {"features": "none"}, "augment": asked}, cache)
    scaling, moves = run.data.columns.features, np.atleast_1d(run.data.columns.features.scale != 0)
    found, wanted = (scaling.undo(next(run.batches()).x), next(plain.batches()).x)
    told = torch.from_numpy(moves).reshape(-1 if len(moves) == 1 else (1, 8, 8)).expand(wanted.shape)
    assert torch.allclose(found[told], wanted[told], atol=1e-4)
    assert (float(wanted.min()), float(wanted.max())) == (0, 16)


def test_channels_are_scaled_each_by_its_own_figures() -> None:
    rows = np.random.default_rng(0).normal([[[1]], [[50]], [[0]]], [[[2]], [[10]], [[0]]], (40, 3, 4, 4))
    scaling = fit("per_channel", rows.astype(np.float32))
    scaled = scaling(rows.astype(np.float32))
    assert scaled.mean((0, 2, 3)).tolist() == pytest.approx([0, 0, 0], abs=1e-6)
    assert scaled.std((0, 2, 3), correction=0).tolist() == pytest.approx([1, 1, 0], abs=1e-5)
    assert torch.allclose(scaling.undo(scaled), torch.from_numpy(rows).float(), atol=1e-4)
    assert torch.equal(type(scaling).restore(scaling.statistics())(rows.astype(np.float32)), scaled)


def test_a_run_without_augmentations_has_no_detour(cache: Path) -> None:
    assert augment.make(parse_spec({**JOB, "augment": []}), run_of(JOB, cache).data, CPU) is None


def test_augmentation_helps_where_there_are_few_samples(train_job: TrainJob) -> None:
    """180 digits: moved and mixed they are worth a point on the other 1,617, by the mean of two seeds."""
    model = {"name": "mlp", "hidden": [128]}
    few = {"dataset": "digits", "split": {"validation": 0.9}, "model": model, "batch_size": 45, "lr": 0.003}
    asked = [{"name": "affine", "degrees": 8, "translate": 0.06}, {"name": "mixup", "alpha": 0.4}]
    plain, changed = (
        sum(train_job(**few, epochs=50, augment=parts, seed=seed).rows[-1].metrics["val_accuracy"] for seed in (0, 1))
        for parts in ([], asked)
    )
    assert changed / 2 > plain / 2 + 0.005, (plain, changed)


def test_pictures_read_from_their_file_are_changed_like_those_in_memory(tmp_path: Path, bench: Bench) -> None:
    chance = np.random.default_rng(0)
    files = {
        f"{kind}/{place}.png": png(chance.integers(0, 256, (6, 7, 3), dtype=np.uint8))
        for kind in ("cat", "dog")
        for place in range(12)
    }
    shelf = Shelf(tmp_path)
    upload = shelf.put("pets.zip", zipped(tmp_path / "pets.zip", files).read_bytes())
    settings: dict[str, Any] = {"size": [8, 8], "resize": "pad"}
    asked = ["flip", {"name": "color", "saturation": 0.5}, "cutmix"]
    fields = {"preprocess": {"features": "none"}, "augment": asked, "batch_size": 5, "epochs": 2}
    runs = [
        bench.attempt(spec.model_dump(mode="json"), datasets=shelf.folder)
        for spec in (shelf.spec(upload, settings, **fields, loader={"streaming": wanted}) for wanted in (False, True))
    ]
    assert runs[0].bits == runs[1].bits


def png(pixels: NDArray[np.uint8]) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()
