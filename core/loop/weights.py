"""The trained model as two files: `model.safetensors`, and `model.json` that says what it is."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor, nn

from core import wire
from core.files import artifact, sha256, written
from core.job import Artifact
from core.loading.encoding import Encoder
from core.loading.preprocess import Scaling
from core.loading.tokens import Tokens
from core.loop.checkpoints import write_weights
from core.loop.groups import trainable
from core.loop.run import Run
from core.loop.space import storing
from core.loop.versions import versions_of
from core.registry import models
from core.spec import JobSpec
from core.starting import CARD, WEIGHTS
from core.usage import Memory

_NOTHING: Mapping[str, Any] = MappingProxyType({})
_OF_TRAINING = ("optimizer", "lr", "scheduler", "phases")
"""What a trained network needs no more: the package of its optimizer may be missing where it is used."""


def save(
    run: Run,
    weights: Mapping[str, Tensor],
    *,
    folder: Path,
    figures: Mapping[str, Any] = _NOTHING,
    memory: Memory | None = None,
) -> tuple[Artifact, Artifact]:
    """Write the `weights` to keep (the best epoch's with `restore_best`, else the last's), then the card beside them.

    The card holds the `figures` of the end too, by their names and as JSON: of the test part, of all folds or seeds; of
    these the weights are the best one's, which is named beside them, and so is the spec. `memory` is what the run took.
    Raises StorageFull when the disk has no room for them.
    """
    with storing(folder):
        with written(folder / WEIGHTS) as draft:
            write_weights(weights, draft)
        kept = artifact(folder / WEIGHTS, media_type="application/octet-stream")
        with written(folder / CARD) as draft:
            card = json.dumps(_card(run, kept, figures, memory), indent=2, ensure_ascii=False, allow_nan=False)
            draft.write_bytes(f"{card}\n".encode())  # UTF-8 whatever the locale says
        return kept, artifact(folder / CARD, media_type="application/json")


def load_model(path: str | Path) -> nn.Module:
    """The trained model in a job's folder (or of its `model.json`), on the CPU and in eval mode.

    It takes float32 rows scaled as in training, which `load_preprocess` does, and gives logits or numbers:

        model, prepare = load_model("model/"), load_preprocess("model/")
        scores = model(prepare(rows))       # rows of a table: [{"age": 29, "sex": "female"}, ...]
        classes = scores.argmax(1)          # two classes, and each label, under `bce`: scores > 0
        numbers = prepare.undo(scores)      # back to the target's own unit

    Raises ValueError when the weights are not those that `model.json` describes.
    """
    folder, card = _read(path)
    weights = folder / card["weights"]["file"]
    if sha256(weights) != card["weights"]["sha256"]:
        raise ValueError(f"{weights} is not the file that {CARD} describes: its SHA-256 differs.")
    spec = trained_spec(card)
    model: nn.Module = models.build(spec.model, spec.model_shape)
    model.load_state_dict(load_file(weights))
    return model.eval()


def trained_spec(card: Mapping[str, Any]) -> JobSpec:
    """The spec that a card holds, as far as the trained model rests on it."""
    return JobSpec.model_validate({key: told for key, told in card["spec"].items() if key not in _OF_TRAINING})


def load_preprocess(path: str | Path) -> Preprocess:
    """How the model in a job's folder (or of its `model.json`) wants its rows, and what its answers mean."""
    _, card = _read(path)
    features, target = (Scaling.restore(card["preprocess"][side]) for side in ("features", "target"))
    columns, text = (card["preprocess"].get(side) for side in ("columns", "text"))
    return Preprocess(
        features,
        target,
        tuple(card["classes"] or ()),
        columns and Encoder.restore(columns),
        text and Tokens.restore(text),
        (card["spec"]["dataset"].get("series") or {}).get("window"),
    )


@dataclass(frozen=True)
class Preprocess:
    """What was done to the training data: call it on raw rows; `classes` are their names."""

    features: Scaling
    target: Scaling
    classes: tuple[str, ...]
    encoder: Encoder | None = None
    tokens: Tokens | None = None
    window: int | None = None
    """How many rows of a series a sample is."""

    def __call__(self, rows: NDArray[Any] | Sequence[Mapping[str, Any] | str | None]) -> Tensor:
        """The rows as the model wants them: float32, encoded and scaled by the statistics of the training part.

        They are `(samples, *features)`; of a table they are its columns by name, as they stood in the file or as
        Python's own values, other columns beside them. A cell that is missing or empty, and a word that training did
        not know, is taken as there. Rows of a series come in the order of time, one series by itself, the target among
        their columns; of these each `window` rows in a row are a sample. Texts, alone or in their column, become int64
        tokens. Raises ValueError for a cell that cannot be read, and for rows that are fewer than a window.
        """
        if self.tokens is not None:
            return torch.from_numpy(self.tokens(list(map(self._text, rows))))
        scaled = self.features(rows if isinstance(rows, np.ndarray) else self._encoded(rows))
        if self.window is None:
            return scaled
        if len(scaled) < self.window:
            raise ValueError(f"This model looks at {self.window} rows of a series: give at least {self.window} rows.")
        return scaled.unfold(0, self.window, 1).contiguous()

    def _text(self, row: Any) -> str | None:
        """A row's text: itself, or its cell in the column that the model was trained on."""
        column = self.tokens.column if self.tokens else None
        text = row[column] if isinstance(row, Mapping) else row
        if not isinstance(text, str | None):
            raise TypeError(f"This model was trained on text, not on {type(text).__name__}.")
        return text.strip() if text and column else text  # as cells are read for training

    def _encoded(self, rows: Sequence[Mapping[str, Any] | str | None]) -> NDArray[np.float64]:
        from core.loading.rows import columns

        if self.encoder is None:
            raise TypeError("This model was not trained on a table: give it an array of samples.")
        table = [row for row in rows if isinstance(row, Mapping)]
        if len(table) < len(rows):
            raise TypeError("This model was trained on a table: give each row as its columns by name.")
        return self.encoder(columns(table, self.encoder), np.arange(len(table)))

    def undo(self, prediction: Tensor) -> Tensor:
        """Predicted numbers in the target's own unit."""
        return self.target.undo(prediction)


def _read(path: str | Path) -> tuple[Path, Mapping[str, Any]]:
    folder = Path(path) if Path(path).is_dir() else Path(path).parent
    card: Mapping[str, Any] = json.loads((folder / CARD).read_bytes())
    return folder, card


def _card(run: Run, weights: Artifact, figures: Mapping[str, Any], memory: Memory | None) -> dict[str, Any]:
    best, last = run.watch.best, run.position.last
    columns, shape = run.data.columns, run.spec.model_shape
    return {
        "name": run.spec.name,
        "weights": _told(run, weights),
        "figures": {
            "best": best and wire.finite(best.public()),
            "last": last and wire.finite(last.public()),
            "test": None,
            "folds": None,
            "seeds": None,
            "sharpness": None,
            **figures,
        },
        "monitor": run.watch.monitor,
        "shape": {"features": list(shape.features), "outputs": shape.outputs, "vocabulary": shape.vocabulary},
        "classes": columns.class_names and list(columns.class_names),
        "features": columns.feature_names and list(columns.feature_names),
        "preprocess": {
            "features": columns.features.statistics(),
            "target": columns.target.statistics(),
            "columns": columns.encoder and columns.encoder.statistics(),
            "text": columns.tokens and columns.tokens.statistics(),
        },
        "bit_exact": run.inexact is None,
        "bit_exact_reason": run.inexact,
        "device": str(run.device),
        "versions": versions_of(run.spec),
        "spec": run.spec.model_dump(mode="json"),
        "memory": memory and asdict(memory),
    }


def _told(run: Run, weights: Artifact) -> dict[str, Any]:
    """Which weights these are."""
    return {
        "file": weights.name,
        "sha256": weights.sha256,
        "bytes": weights.bytes,
        "parameters": sum(weight.numel() for weight in run.model.parameters()),
        "trainable": sum(weight.numel() for weight in trainable(run.model)),
        "kept": "best" if run.kept.weights else "last",
        "epoch": run.kept_row and run.kept_row.epoch,
        "fold": run.spec.split.fold,
        "seed": run.seed,
        "ema": run.spec.ema and run.spec.ema.model_dump(),
    }
