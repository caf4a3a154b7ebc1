"""One request, answered: its body read, its samples prepared as in training, and what the model says of them."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from core.checks import MAX_PROBLEMS
from core.errors import NotFound, RowsRefused, WrongStatus
from core.job import Problem
from core.serving import language, telling
from core.serving.asking import ANSWER, MISSING, UNABLE, Ask, Bounds, refusal
from core.serving.bodies import Given, given, refused
from core.serving.samples import samples
from core.serving.served import Served
from core.serving.warm import Warm
from core.wire import dumps

_NUMBERS = 2_000_000
"""Numbers that one answer may hold: some 40 MB of JSON."""


def answer(ask: Ask, warm: Warm, bounds: Bounds) -> bytes:
    """What goes back to the API, in the words of `core.serving.asking`."""
    try:
        served = warm.of(ask)
        with torch.inference_mode():
            data = _data(served, given(ask.content_type, ask.body), bounds)
    except RowsRefused as error:
        return refusal(error)
    except NotFound as error:
        return MISSING + error.message.encode()
    except WrongStatus as error:
        return UNABLE + error.message.encode()
    return ANSWER + dumps({"data": data, "weights": _weights(served, ask)}).encode("utf-8", "replace")


def _data(served: Served, sent: Given, bounds: Bounds) -> list[dict[str, Any]]:
    if served.takes == "a text":
        return [language.told(served, sent)]
    count = max(len(some) for some in (sent.rows or (), sent.texts or (), sent.pictures or ()))
    if count > bounds.rows:
        raise refused(f"These are {count:,} rows; up to {bounds.rows:,} are answered at a time.", "/rows", bounds.rows)
    width = served.spec.data_shape.classes or served.spec.model_shape.outputs
    if count * width > _NUMBERS:
        told = f"The answer would hold {count * width:,} numbers; send at most {max(1, _NUMBERS // width):,} rows."
        raise refused(told, "/rows", max(1, _NUMBERS // width))
    x = samples(served, sent, pixels_=bounds.pixels)
    scores = served.predict(x)
    _check(scores)
    return telling.told(served, scores, x)


def _check(scores: Tensor) -> None:
    if wrong := telling.untold(scores):
        problems = [Problem(f"/rows/{at}", telling.UNTOLD) for at in wrong[:MAX_PROBLEMS]]
        raise RowsRefused(problems, count=len(wrong))


def _weights(served: Served, ask: Ask) -> dict[str, Any]:
    """Which weights answered."""
    return {"job": ask.job_id, "epoch": served.epoch, **served.round, "sha256": ask.weights}
