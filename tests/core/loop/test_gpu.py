"""The loop on a GPU, where there is one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from core.checkpoint import Checkpoint
from core.device import resolve
from core.events import Checkpointed, EpochDone, Finished, RunEvent, Started
from core.loop import Saving, load_model, train
from core.spec import parse_spec
from tests.core.loop.interrupting import pieced
from tests.core.loop.several import Several
from tests.core.uploading import Shelf

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA here")

CNN: dict[str, Any] = {"dataset": "digits", "model": {"name": "cnn", "channels": [8]}, "lr": 0.003, "epochs": 3}
STACK: dict[str, Any] = {
    "dataset": "digits",
    "epochs": 2,
    "model": {
        "name": "layers",
        "layers": [
            {"name": "conv2d", "out": 4, "kernel_size": 3, "padding": "same"},
            {"name": "residual", "layers": ["batch_norm", "gelu", {"name": "dropout", "p": 0.2}]},
            {"name": "avg_pool2d", "kernel_size": 3, "stride": 1},
            {"name": "adaptive_avg_pool2d", "output_size": 4},
            {"name": "flatten", "start_dim": 2},
            {"name": "max_pool1d", "kernel_size": 2},
            {"name": "gru", "hidden_size": 5, "returns": "last"},
            {"name": "linear", "out": "auto"},
        ],
    },
}
MLP: dict[str, Any] = {"dataset": "digits", "model": {"name": "mlp", "dropout": 0.1}, "epochs": 3}
RESNET: dict[str, Any] = {**CNN, "model": {"name": "resnet", "channels": [4, 8], "blocks": 1}}
CNN1D: dict[str, Any] = {"dataset": "wine", "model": {"name": "cnn1d", "dropout": 0.1}, "epochs": 12}
GRU: dict[str, Any] = {**CNN1D, "model": {"name": "rnn", "num_layers": 2, "dropout": 0.1}}
LSTM: dict[str, Any] = {**CNN1D, "model": {"name": "rnn", "cell": "lstm", "bidirectional": True}}
FT: dict[str, Any] = {**CNN1D, "model": "ft_transformer"}
CODE: dict[str, Any] = {**CNN, "model": {"name": "autoencoder", "channels": [4, 8]}, "augment": ["noise"]}
EACH = pytest.mark.parametrize(
    "fields",
    [CNN, MLP, STACK, RESNET, CNN1D, GRU, LSTM, FT, CODE],
    ids=["cnn", "mlp", "layers", "resnet", "cnn1d", "gru", "lstm", "ft", "autoencoder"],
)


def figures(events: list[RunEvent]) -> list[dict[str, float]]:
    return [event.row.figures() for event in events if isinstance(event, EpochDone)]


def run(folder: Path, device: str, **fields: Any) -> list[dict[str, float]]:
    return figures(list(train(parse_spec(fields), folder=folder, device=device, cache=folder)))


@EACH
def test_a_gpu_gives_the_same_figures_every_time(tmp_path: Path, fields: dict[str, Any]) -> None:
    device = resolve("cuda")
    assert run(tmp_path, device, **fields) == run(tmp_path, device, **fields)


def test_pinned_batches_from_processes_give_the_same_figures(tmp_path: Path) -> None:
    fetched = run(tmp_path, resolve("cuda"), **CNN, loader={"num_workers": 2})
    assert fetched == run(tmp_path, resolve("cuda"), **CNN)


def test_a_gpu_learns_what_a_cpu_learns(tmp_path: Path) -> None:
    gpu, cpu = (run(tmp_path, device, **CNN)[-1]["val_loss"] for device in (resolve("cuda"), "cpu"))
    assert gpu == pytest.approx(cpu, rel=0.05)
    assert next(load_model(tmp_path).parameters()).device.type == "cpu"


def kept(folder: Path, device: str, *candidates: Checkpoint, **fields: Any) -> list[RunEvent]:
    saving = Saving(folder / "checkpoints", candidates)
    spec = parse_spec({**fields, "checkpoints": {"every_s": 0}})
    return list(train(spec, folder=folder, device=device, cache=folder, save=saving))


def taken(folder: Path, events: list[RunEvent], number: int) -> Checkpoint:
    found = [event.checkpoint for event in events if isinstance(event, Checkpointed)][number]
    return replace(found, path=str(folder / "checkpoints" / found.path))


@EACH
def test_a_run_on_a_gpu_goes_on_exactly(tmp_path: Path, fields: dict[str, Any]) -> None:
    device, fields = resolve("cuda"), {**fields, "batch_size": 200}
    whole = kept(tmp_path / "whole", device, **fields)
    for number in (3, 9, 12):
        again = kept(tmp_path / str(number), device, taken(tmp_path / "whole", whole, number), **fields)
        assert figures(again) == figures(whole)[-len(figures(again)) :]
        assert again[-1] == whole[-1]
        assert isinstance(again[-1], Finished)


@pytest.mark.parametrize(("one", "other"), [("cuda", "cpu"), ("cpu", "cuda")])
@pytest.mark.parametrize("optimizer", ["adam", "adagrad", "sgd", "nadam"])
def test_a_run_goes_on_on_another_kind_of_device_and_says_so(
    tmp_path: Path, one: str, other: str, optimizer: str
) -> None:
    fields = {**MLP, "optimizer": optimizer, "batch_size": 200}
    whole = kept(tmp_path / "whole", resolve(one), **fields)
    again = kept(tmp_path / "again", resolve(other), taken(tmp_path / "whole", whole, 10), **fields)
    assert isinstance(again[0], Started)
    assert again[0].resumed
    told = again[0].resumed.inexact or ""
    assert "device" in told
    assert {"cuda", "cpu"} <= set(told.split())
    assert figures(again)[-1]["val_loss"] == pytest.approx(figures(whole)[-1]["val_loss"], rel=0.1)


@pytest.mark.parametrize("model", ["resmlp", "ft_transformer"])
def test_words_that_are_embedded_give_the_same_figures_every_time(tmp_path: Path, model: str) -> None:
    shelf = Shelf(tmp_path)
    rows = "".join(f"w{row % 37},{row % 5},{'yn'[row % 37 % 2]}\n" for row in range(400))
    upload = shelf.put("w.csv", f"word,x,y\n{rows}".encode())
    spec = shelf.spec(upload, {"target": "y"}, model={"name": model, "embeddings": "auto"}, lr=0.01, epochs=5)
    one, other = (
        figures(list(train(spec, folder=tmp_path / "model", device=resolve("cuda"), datasets=tmp_path)))
        for _ in range(2)
    )
    assert one == other
    assert one[-1]["val_accuracy"] > 0.9


TOGETHER: dict[str, Any] = {
    "dataset": "digits",
    "model": {"name": "mlp", "hidden": [64]},
    "batch_size": 100,
    "epochs": 2,
    "checkpoints": {"every_s": 0},
}
TWO_GPUS = pytest.mark.skipif(torch.cuda.device_count() < 2, reason="fewer than two GPUs here")


def test_a_process_group_of_one_gpu_trains_as_one_without(tmp_path: Path) -> None:
    grouped = Several(tmp_path, tmp_path).attempt(TOGETHER, size=1, device="cuda")
    assert [row.figures() for row in grouped.rows] == run(tmp_path, resolve("cuda"), **TOGETHER)


@TWO_GPUS
@pytest.mark.parametrize("sharding", ["ddp", "fsdp"])
def test_two_gpus_give_the_figures_of_one_and_go_on_exactly(tmp_path: Path, sharding: str) -> None:
    several, job = Several(tmp_path, tmp_path), {**TOGETHER, "resources": {"devices": 2, "sharding": sharding}}
    two, one = several.attempt(job, device="cuda"), run(tmp_path, resolve("cuda"), **TOGETHER)
    for row, like in zip(two.rows, one, strict=True):
        assert row.figures() == pytest.approx(like, rel=1e-4, abs=1e-5)
    kept = two.checkpoints[20]
    assert pieced(two, kept, several.attempt(job, kept, device="cuda")) == two.bits


@TWO_GPUS
def test_a_gpu_that_is_lost_in_mid_epoch_is_made_good_exactly(tmp_path: Path) -> None:
    several, job = Several(tmp_path, tmp_path), {**TOGETHER, "resources": {"devices": 2}}
    whole, killed = several.attempt(job, device="cuda"), several.attempt(job, device="cuda", kill_at=20)
    kept = killed.checkpoints[-1]
    assert pieced(whole, kept, several.attempt(job, kept, device="cuda")) == whole.bits
