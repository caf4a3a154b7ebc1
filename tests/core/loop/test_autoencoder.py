"""An autoencoder in a run: it beats a PCA, takes noise out, and needs no target wherever its samples come from."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from core.errors import Diverged
from core.loading import data
from core.loop import load_model, load_preprocess, train
from core.loop.assembly import assemble
from core.nets.autoencoder import Autoencoder
from core.spec import JobSpec, parse_spec
from tests.core.loop.conftest import TrainJob
from tests.core.loop.interrupting import Bench
from tests.core.loop.test_resume import resumes_exactly
from tests.core.loop.test_streaming import parquet, pictures, table
from tests.core.uploading import Shelf

CPU = torch.device("cpu")
SMALL: dict[str, Any] = {"name": "autoencoder", "latent": 3, "hidden": [8]}
DIGITS: dict[str, Any] = {"dataset": "digits", "model": "autoencoder", "lr": 0.002, "epochs": 40}
PLANTS = "height,color,wild\n" + "1.5,red,true\n,blue,\n9,,false\n" * 20


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path)


def npy(array: NDArray[Any], **others: Any) -> bytes:
    file = io.BytesIO()
    if others:
        np.savez(file, x=array, **others)
    else:
        np.save(file, array)
    return file.getvalue()


def of_table(shelf: Shelf, **fields: Any) -> JobSpec:
    return shelf.spec(shelf.put("plants.csv", PLANTS.encode()), {}, **{"model": SMALL, "epochs": 2, **fields})


def explained(rows: NDArray[Any], made: NDArray[Any]) -> float:
    """The share of the rows' variance that comes back."""
    return 1 - float(((rows - made) ** 2).sum() / ((rows - rows.mean(0)) ** 2).sum())


def by_components(train: NDArray[Any], rows: NDArray[Any], *, count: int) -> NDArray[Any]:
    """The rows as so many principal components of `train` give them back."""
    mean = train.mean(0)
    axes = np.linalg.svd(train - mean, full_matrices=False)[2][:count]
    given_back: NDArray[Any] = (rows - mean) @ axes.T @ axes + mean
    return given_back


def test_sixteen_numbers_say_more_of_a_digit_than_sixteen_principal_components(
    train_job: TrainJob, cache: Path
) -> None:
    told, found = train_job(**DIGITS), data.make(parse_spec(DIGITS), cache=cache)
    assert found.held is not None
    rows, held = (part.x.flatten(1).double().numpy() for part in (found.train, found.held))
    linear = explained(held, by_components(rows, held, count=16))
    figure = told.rows[-1].metrics["val_r2"]
    print(f"autoencoder {figure:.3f}, PCA {linear:.3f}")
    assert figure > linear + 0.03
    with torch.no_grad():
        made = load_model(told.folder)(found.held.x)
    # the metric leaves out pixels that are constant, which have no variance to explain
    assert figure == pytest.approx(explained(held, made.flatten(1).numpy()), abs=1e-3)
    assert told.rows[-1].val_loss == pytest.approx(float(((made - found.held.x) ** 2).mean()), rel=1e-4)


def test_convolutions_and_their_transposes_give_pictures_back(train_job: TrainJob) -> None:
    fields = {**DIGITS, "model": {"name": "autoencoder", "channels": [8, 16]}, "lr": 0.01, "epochs": 10}
    assert train_job(**fields).rows[-1].metrics["val_r2"] > 0.6


def test_noise_is_put_in_and_the_clean_sample_is_wanted_back(train_job: TrainJob, cache: Path) -> None:
    noisy = {**DIGITS, "augment": [{"name": "noise", "std": 0.7}], "epochs": 20}
    spec = parse_spec(noisy)
    found = data.make(spec, cache=cache)
    run = assemble(spec, found, device=CPU)
    batch, rows = next(run.batches()), run.order()[:32]
    assert torch.equal(batch.y, found.train.x[rows])
    assert (batch.x - batch.y).std() == pytest.approx(0.7, abs=0.05)

    assert found.held is not None
    spoiled = found.held.x + 0.7 * torch.randn(found.held.x.shape, generator=torch.Generator().manual_seed(0))
    left = []
    for fields in (noisy, {**noisy, "augment": []}):
        with torch.no_grad():
            left.append(float(((load_model(train_job(**fields).folder)(spoiled) - found.held.x) ** 2).mean()))
    assert left[0] < 0.9 * left[1]
    assert left[0] < 0.5 * 0.7**2


def test_what_moves_a_picture_moves_what_is_wanted_back_too(cache: Path) -> None:
    flip: Any = {"name": "flip", "horizontal": 1.0}
    spec = parse_spec({**DIGITS, "augment": [flip, {"name": "cutout", "length": 4}, flip, "mixup"], "epochs": 1})
    found = data.make(spec, cache=cache)
    run = assemble(spec, found, device=CPU)
    batch = next(run.batches())
    plain = next(assemble(parse_spec({**DIGITS, "augment": [flip]}), found, device=CPU).batches())
    assert plain.x is plain.y
    assert torch.allclose(plain.x, found.train.x[run.order()[:32]].flip(3), atol=1e-5)
    assert batch.x.shape == batch.y.shape
    assert not torch.equal(batch.x, batch.y)


def test_a_table_without_a_target_comes_back_in_its_own_unit(shelf: Shelf, tmp_path: Path) -> None:
    spec = of_table(shelf, epochs=150, lr=0.01, split={"validation": 0})
    for _ in train(spec, folder=tmp_path / "model", datasets=tmp_path):
        pass
    model, prepare = load_model(tmp_path / "model"), load_preprocess(tmp_path / "model")
    assert isinstance(model, Autoencoder)
    rows = prepare([{"height": "1.5", "color": "red", "wild": "true"}, {"height": 9, "color": None, "wild": False}])
    with torch.no_grad():
        made = prepare.undo(model(rows))
    # height, missing, red is the second word, wild, missing
    assert made[:, 0].tolist() == pytest.approx([1.5, 9], abs=0.5)
    assert made[0].round()[2:].tolist() == [0, 1, 0, 1, 0]
    assert model.encode(rows).shape == (2, 3)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.npy", npy(np.random.default_rng(0).normal(size=(40, 2, 3)))),
        ("x.npz", npy(np.random.default_rng(0).normal(size=(40, 2, 3)), other=np.zeros(1))),
        ("xy.npz", npy(np.random.default_rng(0).normal(size=(40, 2, 3)), y=np.arange(40) % 7)),
        ("p.zip", pictures()),
    ],
)
def test_arrays_and_pictures_train_by_folds_whatever_they_bring_along(
    shelf: Shelf, tmp_path: Path, name: str, content: bytes
) -> None:
    spec = shelf.spec(shelf.put(name, content), {}, model=SMALL, epochs=1, split={"folds": 2, "test": 0.2})
    for _ in train(spec, folder=tmp_path / "model", datasets=tmp_path):
        pass
    assert load_model(tmp_path / "model")(torch.zeros(2, *spec.data_shape.features)).shape[0] == 2


def test_files_that_validate_need_no_known_classes(shelf: Shelf) -> None:
    rng = np.random.default_rng(0)
    upload, held = (shelf.put("x.npz", npy(rng.normal(size=(30, 4)), y=rng.integers(0, n, 30))) for n in (2, 9))
    spec = shelf.spec(upload, {"validation": held}, model=SMALL)
    found = data.make(spec, cache=None, datasets=shelf.folder)
    assert found.held is not None
    assert (found.train.size, found.held.size, found.columns.class_names) == (30, 30, None)


@pytest.mark.parametrize("form", ["table", "pictures"])
def test_what_stays_in_its_file_gives_the_same_figures(shelf: Shelf, bench: Bench, form: str) -> None:
    name, content = ("t.parquet", parquet(table())) if form == "table" else ("p.zip", pictures())
    rows = []
    for streaming in (True, False):
        loader = {"streaming": streaming, "shuffle": False}
        fields = {"model": SMALL, "epochs": 1, "loader": loader, "preprocess": {"features": "minmax"}}
        spec = shelf.spec(shelf.put(name, content), {}, **fields)
        rows += bench.attempt(spec.model_dump(mode="json"), datasets=shelf.folder).rows
    assert rows[0].figures() == rows[1].figures()


def test_it_goes_on_exactly_from_every_batch(bench: Bench, shelf: Shelf) -> None:
    resumes_exactly(bench, {**DIGITS, "model": SMALL, "augment": ["noise"], "batch_size": 400, "epochs": 2}, stride=2)
    table_ = of_table(shelf, batch_size=20, on_out_of_memory="accumulate").model_dump(mode="json")
    resumes_exactly(bench, table_, stride=2, datasets=shelf.folder)


@pytest.mark.filterwarnings("ignore:This DataLoader will create")
def test_loader_processes_change_nothing(bench: Bench) -> None:
    fields = {**DIGITS, "model": SMALL, "augment": ["noise"], "batch_size": 400, "epochs": 1}
    assert bench.attempt({**fields, "loader": {"num_workers": 2}}).bits[:-1] == bench.attempt(fields).bits[:-1]


@pytest.mark.parametrize(
    "fields", [{"ema": {"decay": 0.9}}, {"precision": "bf16"}, {"micro_batch_size": 100}, {"seeds": 2}]
)
def test_the_figures_are_those_of_the_weights_that_are_left(
    train_job: TrainJob, cache: Path, fields: dict[str, Any]
) -> None:
    job = {**DIGITS, "model": SMALL, "batch_size": 400, "epochs": 1, **fields}
    told, found = train_job(**job), data.make(parse_spec(job), cache=cache)
    assert found.held is not None
    with torch.no_grad():
        left = float(((load_model(told.folder)(found.held.x) - found.held.x) ** 2).mean())
    best = min(row.val_loss or 9 for row in told.rows)
    assert best == pytest.approx(left, rel=1e-2 if "precision" in fields else 1e-4)


def test_what_diverges_is_told_to_scale_its_features_where_they_are_not(train_job: TrainJob) -> None:
    job = {**DIGITS, "model": {"name": "autoencoder", "hidden": []}, "optimizer": "sgd", "lr": 1e6, "epochs": 3}
    for features, told in (("none", True), ("standard", False)):
        with pytest.raises(Diverged) as caught:
            train_job(**job, preprocess={"features": features})
        assert ('preprocess.features "standard"' in str(caught.value.hint)) is told
        assert "preprocess.target" not in str(caught.value.hint)
