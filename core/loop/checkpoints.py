"""Checkpoints on disk: written whole or not at all, and read only if every byte is as it was written."""

from __future__ import annotations

import itertools
import pickle
import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from core.checkpoint import Checkpoint, CheckpointFile, Occasion
from core.failpoints import failpoint
from core.files import fsync, sha256
from core.ids import new_id
from core.loop.failures import is_out_of_memory
from core.loop.fingerprint import Fingerprint, fingerprint
from core.loop.gauge import tensor_bytes
from core.loop.position import Position
from core.loop.run import Run
from core.loop.space import ensure_space, storing

WEIGHTS = {
    "model": "model.safetensors",
    "average": "average.safetensors",
    "kept": "best.safetensors",
    "chosen": "round.safetensors",
}
"""The parts of a run's state that are weights; each has a file of its own, which is missing when there are none."""
STATE = "state.pt"
REQUIRED = frozenset({WEIGHTS["model"], STATE})
_ABSENT: Mapping[str, Any] = {
    "average": {}, "kept": {}, "chosen": {}, "precision": {}, "rounds": {"ended": []},
}  # fmt: skip
"""The parts of a state that a checkpoint need not have."""
_PLAIN = 1 << 16
"""Bytes that the state takes beside its tensors, well rounded up."""
_BROKEN = (
    OSError, EOFError, RuntimeError, ValueError, LookupError, TypeError, AttributeError, SafetensorError,
    pickle.UnpicklingError, zipfile.BadZipFile,
)  # fmt: skip
"""What reading and loading a state raise that is not what was written, or not by this version."""


class Unusable(Exception):
    """The run cannot go on from this checkpoint; the message says why."""


@dataclass(frozen=True)
class Snapshot:
    """What a checkpoint holds: the state of each part of the run, and what its last bits depend on."""

    parts: Mapping[str, Any]
    position: Position
    fingerprint: Fingerprint
    inexact: str | None


def write(run: Run, folder: Path, occasion: Occasion) -> Checkpoint | None:
    """Write `run` as it stands into a new folder in `folder`; it is there, whole and on the disk, when this returns.

    Of several processes the leader writes what all of them have; the others get None.
    Raises StorageFull, and leaves nothing then, when the disk has not twice the space that it takes.
    """
    parts = {name: part.state_dict() for name, part in run.stateful().items()}
    if not run.peers.leads:
        return None
    weights = {file: parts.pop(name) for name, file in WEIGHTS.items() if parts.get(name)}
    rest = {"parts": parts, "fingerprint": dict(fingerprint(run)), "inexact": run.inexact}
    ensure_space(folder, tensor_bytes([weights, rest]) + _PLAIN)
    at = run.position
    path = _unused(folder, f"{at.epoch:06d}-{at.step:08d}")
    with storing(folder), _drafted(path) as draft:
        for file, tensors in weights.items():
            write_weights(tensors, draft / file)
        with (draft / STATE).open("wb") as opened:
            torch.save(rest, opened)
        files = tuple(_settled(file) for file in sorted(draft.iterdir()))
    cost = run.leaders.cost(at.last) if at.last and not at.step else None
    return Checkpoint(new_id("ckpt"), path.name, at.epoch, at.step, occasion, files, cost)


def write_weights(weights: Mapping[str, Tensor], path: Path) -> None:
    """Write weights as safetensors."""
    save_file({name: weight.detach().cpu().contiguous() for name, weight in weights.items()}, path)


def read(checkpoint: Checkpoint) -> Snapshot:
    """What `checkpoint` holds, once size and SHA-256 of every file are found as told; raises Unusable."""
    folder, files = Path(checkpoint.path), {file.name for file in checkpoint.files}
    with _judged():
        for file in checkpoint.files:
            _verify(folder, file)
        if missing := REQUIRED - files:
            raise Unusable(f"it has no {' and no '.join(sorted(missing))}")
        state = torch.load(folder / STATE, map_location="cpu", weights_only=True)
        weights = {name: _read_weights(folder / file) for name, file in WEIGHTS.items() if file in files}
        position = Position()
        position.load_state_dict(state["parts"]["position"])
        return Snapshot({**_ABSENT, **state["parts"], **weights}, position, state["fingerprint"], state["inexact"])


def restore(run: Run, snapshot: Snapshot) -> None:
    """Put every part of `run` where `snapshot` says; raises Unusable, and the run is of no use then."""
    with _judged():
        for name, part in run.stateful().items():
            part.load_state_dict(snapshot.parts[name])
    run.inexact = snapshot.inexact


@contextmanager
def _drafted(path: Path) -> Iterator[Path]:
    """Give a temporary folder beside `path`; at the end it takes the name `path`, an error removes it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    try:
        yield draft
        draft.chmod(0o755)  # mkdtemp gives 0700; the API may run as another user
        fsync(draft)
        failpoint("checkpoint.before_rename")
        draft.rename(path)
        fsync(path.parent)
        failpoint("checkpoint.after_rename")
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _unused(folder: Path, name: str) -> Path:
    """The folder's path; a second checkpoint at the same step, with a smaller micro-batch, gets a number behind."""
    numbered = (folder / f"{name}-{number}" for number in itertools.count(1))
    return next(path for path in itertools.chain([folder / name], numbered) if not path.exists())


def _settled(path: Path) -> CheckpointFile:
    path.chmod(0o644)
    fsync(path)
    return CheckpointFile(path.name, path.stat().st_size, sha256(path))


def _verify(folder: Path, file: CheckpointFile) -> None:
    path = folder / file.name
    if not path.is_file():
        raise Unusable(f"{file.name} is missing")
    if (size := path.stat().st_size) != file.bytes:
        raise Unusable(f"{file.name} has {size} bytes instead of {file.bytes}")
    if sha256(path) != file.sha256:
        raise Unusable(f"{file.name} is not what was written: its SHA-256 differs")


def _read_weights(path: Path) -> dict[str, Tensor]:
    # cloned out of the mapped file, which retention may remove
    return {name: weight.clone() for name, weight in load_file(path).items()}


@contextmanager
def _judged() -> Iterator[None]:
    try:
        yield
    except _BROKEN as error:
        if is_out_of_memory(error):
            raise
        raise Unusable(f"{type(error).__name__}: {' '.join(str(error).split())[:300]}") from error
