"""The loop on a GPU, where there is one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from core.events import EpochDone, RunEvent
from core.loop import load_model, train
from core.loop.device import resolve
from core.spec import parse_spec

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA here")

CNN: dict[str, Any] = {"dataset": "digits", "model": {"name": "cnn", "channels": [8]}, "lr": 0.003, "epochs": 3}
MLP: dict[str, Any] = {"dataset": "digits", "model": {"name": "mlp", "dropout": 0.1}, "epochs": 3}


def figures(events: list[RunEvent]) -> list[dict[str, float]]:
    return [event.row.figures() for event in events if isinstance(event, EpochDone)]


def run(folder: Path, device: str, **fields: Any) -> list[dict[str, float]]:
    return figures(list(train(parse_spec(fields), folder=folder, device=device, cache=folder)))


@pytest.mark.parametrize("fields", [CNN, MLP], ids=["cnn", "mlp"])
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
