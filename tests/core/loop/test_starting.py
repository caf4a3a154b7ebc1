"""Runs that start from weights: exactly from these, from the very file, and from what of them fits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from sklearn.datasets import load_digits
from torch import Tensor

from core.errors import InvalidData, InvalidSpec, RunFailed
from core.events import Noticed
from core.files import sha256
from core.job import Reason
from core.loop.checkpoints import write_weights
from tests.core.loop.interrupting import After, Attempt, Bench, pieced, stage
from tests.core.starting import JOB, Beginnings

SMALL = {"name": "mlp", "hidden": [16]}
PLAIN: dict[str, Any] = {
    "dataset": "digits",
    "model": SMALL,
    "optimizer": "sgd",
    "lr": 0.1,
    "batch_size": 1437,
    "loader": {"shuffle": False},
    "epochs": 3,
}
"""A step an epoch, over the same rows in the same order: its train_loss is that of the weights it begins with."""
NAMES = ["hidden.0.weight", "hidden.0.bias", "output.weight", "output.bias"]


@pytest.fixture
def beginnings(tmp_path: Path) -> Beginnings:
    (tmp_path / "artifacts").mkdir()
    return Beginnings(tmp_path / "artifacts")


class Trainer:
    """Trains jobs that may start from what `beginnings` has."""

    def __init__(self, bench: Bench, beginnings: Beginnings) -> None:
        self._bench, self._beginnings = bench, beginnings

    def __call__(self, init: Any = None, /, *candidates: Any, **fields: Any) -> Attempt:
        more = {name: fields.pop(name) for name in ("stop", "lineage", "into") if name in fields}
        spec = self._beginnings.fields(init, **{**PLAIN, **fields})
        return self._bench.attempt(spec, *candidates, datasets=self._beginnings.folders, **more)


@pytest.fixture
def trained(bench: Bench, beginnings: Beginnings) -> Trainer:
    return Trainer(bench, beginnings)


@pytest.fixture
def left(trained: Trainer, beginnings: Beginnings) -> dict[str, Tensor]:
    """What a job left that trained for three epochs."""
    beginnings.leave(trained().weights)
    return load_file(beginnings.left)


def notice(attempt: Attempt) -> Noticed:
    (only,) = (one for one in attempt.every(Noticed) if one.code == "starting_weights")
    return only


def figures(attempt: Attempt) -> list[dict[str, float]]:
    return [row.figures() for row in attempt.rows]


@pytest.mark.usefixtures("left")
def test_a_job_goes_on_from_another_ones_weights_as_that_one_would_have(trained: Trainer) -> None:
    whole, after = trained(epochs=5), trained({"job": JOB}, epochs=2)
    assert figures(after) == figures(whole)[3:]
    assert after.weights.read_bytes() == whole.weights.read_bytes()
    assert notice(after).message == f"The run starts from the weights of job {JOB}: 4 of the model's 4 tensors."


@pytest.mark.usefixtures("left")
def test_model_json_says_what_the_run_started_from(trained: Trainer, beginnings: Beginnings) -> None:
    card = json.loads((trained({"job": JOB}).folder / "model.json").read_text())
    init = card["spec"]["init_from"]
    assert (init["job"], init["strict"]) == (JOB, True)
    assert init["facts"]["sha256"] == sha256(beginnings.left)
    assert init["facts"]["bytes"] == beginnings.left.stat().st_size


def test_fine_tuning_with_another_head_begins_better_than_from_scratch(
    trained: Trainer, beginnings: Beginnings, tmp_path: Path
) -> None:
    quick = {"optimizer": "adam", "lr": 0.003, "batch_size": 64}
    beginnings.leave(trained(epochs=15, **quick).weights)
    x, y = load_digits(return_X_y=True)
    np.savez(tmp_path / "few.npz", x=x[y < 5][:200].astype("float32"), y=y[y < 5][:200])
    few = {"dataset": {"name": "upload", "id": beginnings.upload(tmp_path / "few.npz")}, **quick, "epochs": 1}
    scratch, tuned = trained(**few), trained({"job": JOB, "strict": False}, **few)
    assert tuned.rows[0].train_loss < scratch.rows[0].train_loss * 0.8
    assert tuned.rows[0].metrics["val_accuracy"] > scratch.rows[0].metrics["val_accuracy"]
    told = notice(tuned)
    assert (told.facts["taken"], told.facts["fresh"], told.facts["left"]) == (NAMES[:2], NAMES[2:], NAMES[2:])
    assert "output.weight ([10, 16] there, [5, 16] here)" in told.message


def test_what_starts_fresh_is_what_the_seed_draws(trained: Trainer, beginnings: Beginnings) -> None:
    still = {"lr": 1e-30, "epochs": 1}
    beginnings.leave_tensors({"hidden.0.weight": torch.ones(16, 64)})
    fresh, half, other = trained(**still), trained({"job": JOB, "strict": False}, **still), trained(**still, seed=1)
    drawn, kept, others = (load_file(one.weights) for one in (fresh, half, other))
    assert torch.equal(kept["hidden.0.weight"], torch.ones(16, 64))
    assert all(torch.equal(kept[name], drawn[name]) for name in NAMES[1:])
    assert not torch.equal(others["output.weight"], drawn["output.weight"])


@pytest.mark.usefixtures("left")
def test_the_same_weights_and_spec_give_the_same_figures(trained: Trainer) -> None:
    shuffled = {"batch_size": 100, "loader": {"shuffle": True}}
    one, same = (trained({"job": JOB}, **shuffled) for _ in range(2))
    assert one.bits == same.bits
    assert figures(trained(**shuffled)) != figures(one)


@pytest.mark.usefixtures("left")
def test_a_run_that_is_killed_begins_from_the_same_weights_or_goes_on_from_its_checkpoint(trained: Trainer) -> None:
    given = {"batch_size": 100, "checkpoints": {"every_s": 0}}
    whole = trained({"job": JOB}, **given)
    broken = trained({"job": JOB}, stop=After(20), **given)
    later = trained({"job": JOB}, broken.checkpoints[-1], **given)
    assert (broken.stopped, later.resumed is not None) == (True, True)
    assert pieced(broken, broken.checkpoints[-1], later) == whole.bits
    assert notice(broken).code == "starting_weights"
    assert later.notices == []
    again = trained({"job": JOB}, **given)  # no checkpoint came through
    assert again.bits == whole.bits


def test_a_run_that_goes_on_from_a_checkpoint_reads_its_starting_weights_no_more(
    trained: Trainer, beginnings: Beginnings, left: dict[str, Tensor]
) -> None:
    given = {"batch_size": 100, "checkpoints": {"every_epochs": 1}}
    fields = beginnings.fields({"job": JOB}, **{**PLAIN, **given})
    assert left.keys() == set(NAMES)
    whole = trained({"job": JOB}, **given)
    bench = trained._bench
    beginnings.left.unlink()
    later = bench.attempt(fields, whole.checkpoints[0], datasets=beginnings.folders)
    assert later.bits == whole.bits[1:]


@pytest.mark.usefixtures("left")
def test_a_fork_keeps_what_its_parent_started_from(trained: Trainer, beginnings: Beginnings) -> None:
    parent = trained({"job": JOB}, epochs=3)
    lineage = [stage(beginnings.fields({"job": JOB}, **PLAIN), 2)]
    forked = trained({"job": JOB}, epochs=3, lineage=lineage)  # from the start: no checkpoint is left
    assert forked.bits == parent.bits


@pytest.mark.usefixtures("left")
def test_each_fold_starts_from_the_weights(trained: Trainer) -> None:
    split = {"folds": 3, "stratify": False}
    given = {"batch_size": 2000, "epochs": 1}
    alone = [trained({"job": JOB}, **given, split={**split, "fold": fold}) for fold in (1, 2, 3)]
    together = trained({"job": JOB}, **given, split=split)
    assert [row["train_loss"] for row in figures(together)] == [figures(one)[0]["train_loss"] for one in alone]
    assert together.rows[2].train_loss < trained(**given, split={**split, "fold": 3}).rows[0].train_loss


@pytest.mark.usefixtures("left")
def test_each_seed_starts_from_the_weights(trained: Trainer) -> None:
    given = {"epochs": 1, "batch_size": 200, "loader": {"shuffle": True}}
    alone = [trained({"job": JOB}, **given, seed=seed) for seed in (3, 4)]
    together = trained({"job": JOB}, **given, seed=3, seeds=2)
    assert figures(together) == [figures(one)[0] for one in alone]
    assert figures(together)[0] != figures(together)[1]


def test_an_average_of_the_weights_begins_at_those_that_the_run_starts_from(
    trained: Trainer, left: dict[str, Tensor]
) -> None:
    kept = load_file(trained({"job": JOB}, ema={"decay": 0.9}, lr=1e-30, epochs=1).weights)
    assert all(torch.equal(kept[name], one) for name, one in left.items())


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_weights_of_another_precision_become_the_models_own(
    trained: Trainer, beginnings: Beginnings, left: dict[str, Tensor], tmp_path: Path, dtype: torch.dtype
) -> None:
    write_weights({name: one.to(dtype) for name, one in left.items()}, tmp_path / "half.safetensors")
    key = beginnings.upload(tmp_path / "half.safetensors")
    run = trained({"upload": key}, lr=1e-30, epochs=1)
    kept = load_file(run.weights)
    assert all(torch.equal(kept[name], one.to(dtype).to(torch.float32)) for name, one in left.items())
    assert kept["output.weight"].dtype == torch.float32
    assert notice(run).facts["upload"] == key


def test_a_file_below_the_folder_of_the_files_is_started_from(
    trained: Trainer, beginnings: Beginnings, left: dict[str, Tensor]
) -> None:
    assert beginnings.folders.files is not None
    write_weights(left, beginnings.folders.files / "mine.safetensors")
    assert figures(trained({"file": "mine.safetensors"})) == figures(trained({"job": JOB}))


MISFITS: list[tuple[dict[str, Any], str]] = [
    ({"output.bias": None}, "missing: output.bias"),
    ({"head.bias": torch.zeros(2)}, "not in the model: head.bias"),
    ({"output.bias": torch.zeros(11)}, "misshapen: output.bias ([11] there, [10] here)"),
    ({"output.bias": torch.zeros(10, dtype=torch.int64)}, "output.bias ([10] int64 there, [10] here)"),
    ({f"more.{at}": torch.zeros(1) for at in range(7)}, "more.4 and 2 more"),
]


@pytest.mark.parametrize(("change", "told"), MISFITS, ids=[told for _, told in MISFITS])
def test_with_strict_every_tensor_must_be_the_models(
    trained: Trainer, beginnings: Beginnings, left: dict[str, Tensor], change: dict[str, Any], told: str
) -> None:
    beginnings.leave_tensors({name: one for name, one in {**left, **change}.items() if one is not None})
    failed = refused(trained, {"job": JOB}, InvalidSpec)
    assert told in failed.message
    assert failed.hint is not None
    assert "set init_from.strict to false" in failed.hint
    assert (failed.param, failed.reason) == ("/init_from", Reason.INVALID_SPEC)
    assert trained({"job": JOB, "strict": False}).rows


def refused(trained: Trainer, init: dict[str, Any], kind: type[RunFailed], **fields: Any) -> RunFailed:
    with pytest.raises(kind) as caught:
        trained(init, **fields)
    return caught.value


def test_weights_of_which_nothing_fits_are_refused_without_strict_too(trained: Trainer, beginnings: Beginnings) -> None:
    beginnings.leave_tensors({"a": torch.zeros(3), "output.bias": torch.zeros(3)})
    told = refused(trained, {"job": JOB, "strict": False}, InvalidSpec).message
    assert told.startswith(f"Nothing of the weights of job {JOB} fits the model: missing: hidden.0.weight")


def test_weights_that_are_no_numbers_are_refused_by_name(
    trained: Trainer, beginnings: Beginnings, left: dict[str, Tensor]
) -> None:
    beginnings.leave_tensors({**left, "output.bias": torch.full((10,), 1e300, dtype=torch.float64)})
    assert refused(trained, {"job": JOB}, InvalidData).message.endswith(
        "(as float32), the first of them in output.bias."
    )


def test_weights_that_are_gone_or_others_end_the_run_with_a_hint(
    bench: Bench, beginnings: Beginnings, left: dict[str, Tensor], tmp_path: Path
) -> None:
    write_weights(left, tmp_path / "mine.safetensors")
    key = beginnings.upload(tmp_path / "mine.safetensors")
    (file,) = beginnings.folders.uploads.iterdir()
    for init, path, way in (({"job": JOB}, beginnings.left, "Train them again"), ({"upload": key}, file, "Upload")):
        fields = beginnings.fields(init, **PLAIN)
        path.write_bytes(path.read_bytes()[:-1] + b"\x01")
        for told in ("their SHA-256 differs", "No such file"):
            with pytest.raises(InvalidData, match=told) as caught:
                bench.attempt(fields, datasets=beginnings.folders)
            assert caught.value.hint is not None
            assert caught.value.hint.startswith(way)
            path.unlink(missing_ok=True)


def test_batch_norms_running_means_are_taken_too(trained: Trainer, beginnings: Beginnings) -> None:
    normed = {"model": {**SMALL, "batch_norm": True}}
    before = trained(**normed)
    beginnings.leave(before.weights)
    assert trained({"job": JOB}, **normed, lr=1e-30, epochs=1).rows[0].train_loss == pytest.approx(
        trained(**normed, epochs=4).rows[3].train_loss
    )
