"""Starting weights: the very file that the job was queued with, taken as far as its tensors fit the model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from core.errors import DataRefused, InvalidData, InvalidSpec
from core.events import Noticed
from core.files import sha256
from core.loop.fitting import Fit, tensors_of
from core.shelf import Folders, below
from core.spec.starting import InitFacts, InitFrom

LISTED = 100
"""Tensors of a kind that a notice lists."""
_PARAM = "/init_from"
_NO_STRICT = "Give the model that these weights are of, or set init_from.strict to false: what fits is taken then."
_NO_FIT = "Give weights of this kind of model, or leave init_from out."


@dataclass(frozen=True)
class Start:
    """The weights that a run starts from, read and checked."""

    init: InitFrom
    tensors: Mapping[str, Tensor]

    def take(self, model: nn.Module) -> None:
        """Put what fits into `model`, as its own type (float32); what does not fit stays as it was drawn.

        Raises InvalidSpec when nothing fits, or with `strict` not everything; InvalidData for a NaN or an infinity.
        """
        fit = Fit.of(model, self.tensors)
        if self.init.strict and not fit.is_whole:
            raise InvalidSpec(f"{self._told} do not fit the model: {fit.words}.", hint=_NO_STRICT, param=_PARAM)
        if not fit.taken:
            raise InvalidSpec(f"Nothing of {self._of} fits the model: {fit.words}.", hint=_NO_FIT, param=_PARAM)
        own = tensors_of(model)
        for name in fit.taken:
            own[name].copy_(self.tensors[name])
            if not own[name].isfinite().all():
                told = f"{self._told} hold NaN or infinite numbers (as float32), the first of them in {name}."
                raise InvalidData(told, hint="Start from other weights.", param=_PARAM)

    def notice(self, model: nn.Module) -> Noticed:
        """What `model` took, and what it did not."""
        fit = Fit.of(model, self.tensors)
        fresh, left = (*fit.missing, *fit.misshapen), (*fit.unexpected, *fit.misshapen)
        rest = f" Not taken, so that the rest starts fresh: {fit.words}." if not fit.is_whole else ""
        (source, key), facts = self.init.source, _facts(self.init)
        return Noticed(
            "starting_weights",
            f"The run starts from {self._of}: {len(fit.taken)} of the model's {len(tensors_of(model))} tensors.{rest}",
            {
                source: key,
                "sha256": facts.sha256,
                "tensors": len(fit.taken),
                "taken": list(fit.taken[:LISTED]),
                "fresh": list(fresh[:LISTED]),
                "left": list(left[:LISTED]),
            },
        )

    @property
    def _of(self) -> str:
        return f"the weights of {self.init.words}"

    @property
    def _told(self) -> str:
        return f"The weights of {self.init.words}"


def read(init: InitFrom | None, folders: Folders | None) -> Start | None:
    """The weights that a spec starts from; None for random ones. Raises InvalidData when they are gone, or others."""
    if init is None:
        return None
    path = _path(init, folders)
    try:
        found = sha256(path)
        tensors = load_file(path) if found == _facts(init).sha256 else None
    except (OSError, SafetensorError) as error:
        told = f"The weights of {init.words} are not where they lay any more, or cannot be read"
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise InvalidData(f"{told}: {reason}.", hint=_again(init), param=_PARAM) from None
    if tensors is None:
        told = f"The weights of {init.words} are not those that the job was queued with: their SHA-256 differs."
        raise InvalidData(told, hint=_again(init), param=_PARAM)
    return Start(init, tensors)


def _path(init: InitFrom, folders: Folders | None) -> Path:
    source, key = init.source
    facts = _facts(init)
    if folders is not None and source == "upload":
        return folders.uploads / facts.sha256
    if folders is not None and source == "file":
        return _below(folders, key)
    if folders is None or folders.jobs is None or facts.path is None:
        raise InvalidData("This run was not told where starting weights lie.", param=_PARAM)
    return folders.jobs / facts.path


def _below(folders: Folders, path: str) -> Path:
    try:
        return below(folders.files, path)
    except DataRefused as refused:
        hint = "Every worker needs the folder that TRAINWIRE_FILES names, with the file in it."
        raise InvalidData(refused.message, hint=hint, param=f"{_PARAM}/file") from refused


def _again(init: InitFrom) -> str:
    way = {
        "job": "Train them again, or upload a copy of them",
        "upload": "Upload the file again",
        "file": "Put the file back",
    }
    return f"{way[init.source[0]]}, and submit the job anew."


def _facts(init: InitFrom) -> InitFacts:
    if init.facts is None:
        raise ValueError("Starting weights can be read only by what was found of them at submission.")
    return init.facts
