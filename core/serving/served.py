"""A trained model as it answers: its weights, what was done to its training data, and what it takes."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import torch
from pydantic import ValidationError
from torch import Tensor, nn

from core.dataset import Facts
from core.errors import InvalidSpec, NotFound, WrongStatus
from core.files import sha256
from core.loading import series
from core.loop.precision import Precision
from core.loop.weights import Preprocess, load_model, load_preprocess, trained_spec
from core.parts.uploads import goals_of
from core.spec import JobSpec
from core.starting import CARD

Takes = Literal["rows of a table", "rows of a series", "texts", "a text", "pictures", "arrays of numbers"]
_CPU = torch.device("cpu")


@dataclass(frozen=True)
class Served:
    """A model in eval mode, on `device`; `names` are those of its features, `targets` of the columns it predicts.

    Samples and answers are on the CPU.
    """

    spec: JobSpec
    model: nn.Module
    prepare: Preprocess
    takes: Takes
    names: tuple[str, ...]
    targets: tuple[str, ...]
    epoch: int | None
    round: dict[str, int | None]
    bytes: int
    device: torch.device = _CPU

    def on(self, device: str) -> Served:
        """The same model on another device; this one is then of no use any more."""
        home = torch.device(device)
        return replace(self, model=self.model.to(home), device=home)

    def predict(self, x: Tensor) -> Tensor:
        """What the model gives for prepared samples, cut as the validation pass cuts them, so that no bit differs."""
        precision = Precision(self.spec.precision, self.device.type)
        parts = torch.split(x, self.rows_at_once(x.shape[1:]))
        return torch.cat([precision.forward(self.model, part.to(self.device)).cpu() for part in parts])

    def encode(self, x: Tensor) -> Tensor:
        """The codes that an autoencoder makes of prepared samples."""
        codes: Tensor = self.model.encode(x.to(self.device))  # type: ignore[operator]
        return codes.cpu()

    def rows_at_once(self, sample: Sequence[int]) -> int:
        """How many samples of this shape go through the model at a time."""
        rows = self.spec.rows_at_once
        if self.takes != "rows of a series":
            return rows
        return min(rows, max(1, series.AT_ONCE // math.prod(sample)))


def load(folder: Path, *, card: str, weights: str) -> Served:
    """The model in `folder`.

    Raises NotFound when a file is gone, or is not the one with this SHA-256, and WrongStatus for a model of parts that
    are not installed here.
    """
    try:
        if sha256(folder / CARD) != card:
            raise NotFound(f"The file {CARD} of this job is not the one that it left: its SHA-256 differs.")
        card_ = json.loads((folder / CARD).read_bytes())
        if card_["weights"]["sha256"] != weights:
            raise NotFound("The weights of this job are not those that its card describes.")
        model, prepare = load_model(folder), load_preprocess(folder)
    except OSError as error:
        raise NotFound(f"The weights of this job are not in the artifacts folder any more: {error.strerror}.") from None
    except (ValidationError, InvalidSpec) as error:
        told = "This service lacks a part that the job was trained with, so it cannot answer for it"
        raise WrongStatus(f"{told}: {str(error).splitlines()[0]}.") from None
    except ValueError as error:  # of another SHA-256
        raise NotFound(str(error)) from None
    return _served(card_, model, prepare)


def _served(told: dict[str, Any], model: nn.Module, prepare: Preprocess) -> Served:
    spec, kept = trained_spec(told), told["weights"]
    return Served(
        spec=spec,
        model=model,
        prepare=prepare,
        takes=_takes(spec, prepare),
        names=tuple(told["features"] or ()),
        targets=goals_of(spec.dataset.settings().get("target")),
        epoch=kept["epoch"],
        round={"fold": kept["fold"], "seed": kept["seed"]},
        bytes=kept["bytes"],
    )


def _takes(spec: JobSpec, prepare: Preprocess) -> Takes:
    if prepare.tokens is not None:
        return "a text" if spec.data_shape.next_token else "texts"
    if prepare.encoder is not None:
        return "rows of a table" if prepare.window is None else "rows of a series"
    facts: Facts | None = spec.dataset.settings().get("facts")
    return "pictures" if facts is not None and facts.form == "images" else "arrays of numbers"
