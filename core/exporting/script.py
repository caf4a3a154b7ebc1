"""The format `script`: a zip of the graph, the card and a `predict.py` that needs torch alone."""

from __future__ import annotations

import ast
import json
import zipfile
from pathlib import Path
from typing import Any

from core.errors import ExportRefused
from core.exporting import bundle
from core.parts.uploads import goals_of
from core.spec import JobSpec
from core.starting import CARD

PARTS = ("scaling", "tables", "texts", "pictures", "predict")
TOKENIZERS = ("bytes", "bpe")
_OURS = "core.exporting."


def check(spec: JobSpec) -> None:
    """Raise ExportRefused for what the script cannot read or answer."""
    text = spec.preprocess.text
    if spec.data_shape.next_token:
        told = "A script answers for rows; this model goes on with a text."
        raise ExportRefused(told, hint="Take pt2 or onnx, or ask the service to predict.")
    if text is not None and text.name not in TOKENIZERS:
        raise ExportRefused(f"A script cannot bring the tokenizer {text.name!r} along.", hint="Take pt2 or onnx.")


def pack(draft: Path, graph: Path, folder: Path, spec: JobSpec) -> None:
    """Write the zip: `model.pt2`, the card, what the answers are, and the script."""
    card = json.loads((folder / CARD).read_bytes())
    with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED) as file:
        file.write(graph, "model.pt2")
        file.write(folder / CARD, CARD)
        file.writestr("task.json", json.dumps(_task(spec, card), indent=2, ensure_ascii=False))
        file.writestr("predict.py", joined())


def joined() -> str:
    """The modules of the script as one: its docstring, all imports but those of each other, then their bodies."""
    sources = [(Path(bundle.__file__).with_name(f"{name}.py")).read_text(encoding="utf-8") for name in PARTS]
    docstring = ast.get_docstring(ast.parse(sources[-1]), clean=False)
    imports = dict.fromkeys(ast.unparse(node) for text in sources for node in _imports(text) if not _is_ours(node))
    future, *others = sorted(imports, key=lambda line: "__future__" not in line)
    head = "\n".join([f'"""{docstring}"""', "", future, "", *sorted(others)])
    return "\n\n".join([head, *(_body(text) for text in sources)]) + "\n"


def _task(spec: JobSpec, card: dict[str, Any]) -> dict[str, Any]:
    shape, dataset = spec.data_shape, card["spec"]["dataset"]
    names = card["classes"] or [str(number) for number in range(shape.classes or shape.outputs)]
    return {
        "task": "reconstruction" if shape.reconstructs else shape.task,
        "names": names,
        "targets": goals_of(dataset.get("target")),
        "window": (dataset.get("series") or {}).get("window"),
        "resize": dataset.get("resize") or "stretch",
    }


def _imports(text: str) -> list[ast.Import | ast.ImportFrom]:
    return [node for node in ast.parse(text).body if isinstance(node, ast.Import | ast.ImportFrom)]


def _is_ours(node: ast.Import | ast.ImportFrom) -> bool:
    return isinstance(node, ast.ImportFrom) and (node.module or "").startswith(_OURS)


def _body(text: str) -> str:
    """What stands behind the imports."""
    last = _imports(text)[-1].end_lineno or 0
    return "\n" + "\n".join(text.splitlines()[last:]).strip()
