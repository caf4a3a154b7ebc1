"""What the exporting process does: load the model, write it in the format that is asked for, and try the file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from core.errors import ExportRefused, InvalidSpec, sentence
from core.exporting import graphs, rows, script
from core.loop import load_model
from core.loop.weights import trained_spec
from core.shelf import Folders
from core.starting import CARD

PT2_OFF, ONNX_OFF = 1e-5, 1e-4
"""How far what a file predicts may be from what torch predicts, absolutely and of the number itself."""
_SHORT = 500


def answer(request: Mapping[str, Any]) -> dict[str, Any]:
    """Do what the request asks; the answer is empty, or says why it was `refused`."""
    try:
        _write(request)
    except (ExportRefused, InvalidSpec) as error:
        return {"refused": {"message": error.message, "hint": error.hint}}
    return {}


@torch.no_grad()
def check(model: nn.Module, other: graphs.Predict, x: Tensor, *, most: float) -> None:
    """Raise ExportRefused unless the file predicts what the model does, for one row as for many."""
    for some in (x[:1], x):
        ours = model(some)
        try:
            theirs = other(some)
        except Exception as error:
            raise ExportRefused(f"The file cannot predict {len(some)} rows: {_line(error)}") from error
        if not torch.allclose(ours, theirs, rtol=most, atol=most, equal_nan=True):
            off = (ours - theirs).abs().max().item()
            raise ExportRefused(f"The file predicts other numbers than torch, by up to {off:.3g}: it was not kept.")


def _write(request: Mapping[str, Any]) -> None:
    folder, draft = Path(request["model"]), Path(request["draft"])
    if request["curves"] is not None:
        from core.exporting import event_files  # whose package is an extra

        event_files.write(request["curves"], draft)
        return
    files = request["files"]
    model, card = _loaded(folder)
    spec = trained_spec(card)
    if request["wanted"] == "script":
        script.check(spec)
    sample = rows.of(spec, Folders(Path(request["uploads"]), files and Path(files)))
    if request["wanted"] == "onnx":
        _onnx(model, sample, draft, card)
    elif request["wanted"] == "pt2":
        _pt2(model, sample.x, draft)
    else:
        graph = draft.with_name(f"{draft.name}.pt2")
        try:
            _pt2(model, sample.x, graph)
            script.pack(draft, graph, folder, spec)
        finally:
            graph.unlink(missing_ok=True)


def _loaded(folder: Path) -> tuple[nn.Module, Mapping[str, Any]]:
    try:
        return load_model(folder), json.loads((folder / CARD).read_bytes())
    except (OSError, ValueError, RuntimeError) as error:
        raise ExportRefused(f"The model's files in the artifacts folder cannot be read: {_line(error)}") from error


def _pt2(model: nn.Module, x: Tensor, draft: Path) -> None:
    with draft.open("wb") as file:
        torch.export.save(_traced(model, x), file)
    with draft.open("rb") as file:
        read = torch.export.load(file).module()
    check(model, read, x, most=PT2_OFF)


def _onnx(model: nn.Module, sample: rows.Sample, draft: Path, card: Mapping[str, Any]) -> None:
    program = _traced(model, sample.x)
    told = {"name": card["name"], "classes": json.dumps(card["classes"]), "tried_on": sample.told}
    try:
        graphs.write_onnx(program, draft, told)
    except Exception as error:
        raise ExportRefused(f"ONNX cannot say what this model does: {_line(error)}") from error
    check(model, graphs.read_onnx(draft), sample.x, most=ONNX_OFF)


def _traced(model: nn.Module, x: Tensor) -> torch.export.ExportedProgram:
    try:
        return graphs.traced(model, x)
    except Exception as error:
        raise ExportRefused(f"torch.export cannot follow this model: {_line(error)}") from error


def _line(error: Exception) -> str:
    text = sentence(error)
    return text if len(text) <= _SHORT else f"{text[:_SHORT]}…"
