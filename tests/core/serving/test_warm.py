"""Which models stay in memory."""

from __future__ import annotations

import json

from core.files import sha256
from core.serving.asking import Ask
from core.serving.warm import Warm
from core.spec import parse_spec
from tests.core.serving.conftest import MakeTrained, Trained


def asked(job: Trained) -> Ask:
    card, weights = (sha256(job.folder / name) for name in ("model.json", "model.safetensors"))
    return Ask("job_1", job.folder, card, weights, "application/json", b"")


def test_the_models_asked_for_last_stay_and_no_more_than_fit(trained: MakeTrained) -> None:
    jobs = [trained(parse_spec({"dataset": "iris", "model": "linear", "epochs": 1, "seed": n})) for n in range(3)]
    a, b, c = map(asked, jobs)
    bytes_ = json.loads((jobs[0].folder / "model.json").read_text())["weights"]["bytes"]
    for warm in (Warm(models=2, memory_bytes=10**9), Warm(models=9, memory_bytes=2 * bytes_)):
        first, second = warm.of(a), warm.of(b)
        assert warm.of(a) is first
        warm.of(c)
        assert len(warm) == 2
        assert warm.of(a) is first
        assert warm.of(b) is not second
    small = Warm(models=9, memory_bytes=1)
    assert small.of(a) is small.of(a)
    assert len(small) == 1
