"""The run of a job that predicts a whole upload: a generator of events, as training is one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import torch

from core.errors import InvalidData, InvalidSpec, NotFound, WrongStatus
from core.events import Finished, RunEvent, Started, Stopped
from core.files import artifact, sha256, written
from core.job import Progress, Reason
from core.loop.cadence import StopAsked, never
from core.loop.preparation import settle
from core.loop.space import storing
from core.loop.versions import versions_of
from core.serving import telling
from core.serving.served import Served, load
from core.serving.sheet import Sheet
from core.serving.uploaded import Uploaded, uploaded
from core.shelf import Folders
from core.spec.predicting import Predict, PredictSpec

PIECE = 8_192
"""Rows that are predicted, written and told at a time; a multiple of what goes through the model at once."""
_TYPES = {"csv": "text/csv", "jsonl": "application/jsonl"}


def predict(
    spec: PredictSpec, *, folder: Path, device: str = "cpu", datasets: Folders, stop: Callable[[], bool] = never
) -> Iterator[RunEvent]:
    """Predict each row of the upload and leave `predictions.csv`, or `.jsonl`, in `folder`.

    Rows are cut, and so come out, as in the validation pass. It begins anew after each interruption and ends with the
    same file: what is written of it before its end goes. Raises InvalidData, InvalidSpec or StorageFull.
    """
    settle(threads=spec.resources.threads)
    wanted = spec.predict
    served = _served(wanted, datasets).on(device)
    rows = uploaded(served, _file(wanted, datasets), wanted.facts.format, time=wanted.facts.time)
    pieces = list(rows.pieces(_piece(served, rows)))
    place = folder / f"predictions.{wanted.format}"
    yield _started(served, spec, rows, pieces=len(pieces))
    try:
        with storing(folder), written(place) as draft, draft.open("w", newline="", encoding="utf-8") as file:
            yield from _write(served, rows, Sheet(file, wanted.format), pieces, stop)
    except StopAsked:
        yield Stopped()
        return
    yield Finished(Reason.COMPLETED, (artifact(place, media_type=_TYPES[wanted.format]),))


def _served(wanted: Predict, datasets: Folders) -> Served:
    """The model, by the very files that were there when the job was queued."""
    facts = wanted.facts
    if datasets.jobs is None:
        raise InvalidData(f"The weights of job {wanted.job} are not known here.")
    try:
        return load(datasets.jobs / facts.folder, card=facts.card, weights=facts.weights)
    except NotFound as gone:
        raise InvalidData(gone.message, hint="Name another job.", param="/predict/job") from gone
    except WrongStatus as unable:
        hint = "Install on every worker what the job was trained with; then retry this one."
        raise InvalidSpec(unable.message, hint=hint, param="/predict/job") from unable


def _file(wanted: Predict, datasets: Folders) -> Path:
    place = datasets.uploads / wanted.facts.sha256
    try:
        if sha256(place) == wanted.facts.sha256:
            return place
        told = "is not the one that was uploaded: its SHA-256 differs"
    except OSError as error:
        told = f"is not in the artifacts folder any more, or cannot be read: {error.strerror}"
    hint = "Upload it again, and ask for its predictions anew."
    raise InvalidData(f"The file of the dataset {wanted.dataset} {told}.", hint=hint, param="/predict/dataset")


def _started(served: Served, spec: PredictSpec, rows: Uploaded, *, pieces: int) -> Started:
    return Started(
        device=str(served.device),
        parameters=sum(weight.numel() for weight in served.model.parameters()),
        steps_per_epoch=pieces,
        epochs=1,
        train_samples=0,
        val_samples=0,
        threads=spec.resources.threads,
        versions=versions_of(served.spec),
        predict_samples=rows.count,
    )


def _piece(served: Served, rows: Uploaded) -> int:
    """As many as the model takes at once, some times over, so that pieces are cut where the validation pass cuts."""
    sample = rows.take(slice(0, 1)).shape[1:]
    at_once = served.rows_at_once(sample)
    return max(1, PIECE // at_once) * at_once


@torch.inference_mode()
def _told(served: Served, x: torch.Tensor, start: int) -> list[telling.Told]:
    """What is said of the samples `x`, the first of which has the number `start`."""
    scores = served.predict(x)
    if wrong := telling.untold(scores):
        raise InvalidData(f"Row {start + wrong[0]:,} (from 0): {telling.UNTOLD}", param="/predict/dataset")
    told = telling.told(served, scores, x)
    for one in told if start else ():
        if "behind_row" in one:
            one["behind_row"] += start
    return told


def _write(
    served: Served, rows: Uploaded, sheet: Sheet, pieces: Sequence[slice], stop: Callable[[], bool]
) -> Iterator[Progress]:
    began = time.perf_counter()
    for number, piece in enumerate(pieces, 1):
        if stop():
            raise StopAsked
        sheet.add(_told(served, rows.take(piece), piece.start))
        spent_s = time.perf_counter() - began
        yield Progress(1, 1, number, len(pieces), spent_s / number * (len(pieces) - number))
