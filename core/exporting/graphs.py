"""Models as graphs, for any number of rows: torch's own (`torch.export`), and ONNX."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram

Predict = Callable[[Tensor], Tensor]

INPUT, OUTPUT, ROWS = "x", "y", "batch"
"""What the graph's input and output are called, and their first axis."""


def traced(model: nn.Module, x: Tensor) -> ExportedProgram:
    """The model in eval mode as a graph of torch's operators; `x` are some rows, two at least.

    What it gives for other numbers of rows is the same graph: torch raises where it would be another.
    """
    # not strict: the models' hooks and their kernels are run as they are, not read as source
    program = torch.export.export(model.eval(), (x,), dynamic_shapes=({0: Dim.DYNAMIC},), strict=False)
    for node in program.graph.nodes:  # it would tell the paths of this machine
        node.meta.pop("stack_trace", None)
    return program


def write_onnx(program: ExportedProgram, path: Path, told: Mapping[str, str]) -> None:
    """Write the graph as ONNX, with its weights in the same file, and `told` among its metadata."""
    import onnx_ir

    made: Any = torch.onnx.export(program, (), dynamo=True, verbose=False, input_names=[INPUT], output_names=[OUTPUT])
    graph = made.model.graph
    for value in (*graph.inputs, *graph.outputs):
        value.shape = onnx_ir.Shape([ROWS, *value.shape[1:]])
    for node in graph:
        node.metadata_props.clear()
    made.model.metadata_props.update(told)
    made.save(path, external_data=False)


def read_onnx(path: Path) -> Predict:
    """What predicts by an ONNX file, with onnxruntime on the CPU."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    def predict(x: Tensor) -> Tensor:
        [y] = session.run([OUTPUT], {INPUT: x.numpy()})
        return torch.from_numpy(y)

    return predict
