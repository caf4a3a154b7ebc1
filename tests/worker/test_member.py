"""Jobs of several nodes: a worker and a member of its own meet, here on one machine, and train as one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from core.job import Status, Worker
from core.spec import parse_spec
from core.store import Store
from tests.core.loop.several import free_port
from tests.worker.place import Place

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are forked")

JOB: dict[str, Any] = {"dataset": "digits", "model": {"name": "mlp", "hidden": [16]}, "epochs": 2}
NODES: dict[str, Any] = {"resources": {"nodes": 2, "devices": 1}}


@contextmanager
def member(endpoint: str) -> Iterator[subprocess.Popen[bytes]]:
    env = {**os.environ, "TRAINWIRE_RENDEZVOUS": endpoint, "TRAINWIRE_NODES": "2", "TRAINWIRE_SLOTS": "1"}
    with subprocess.Popen([sys.executable, "-m", "worker.member"], env=env) as process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)


@pytest.mark.parametrize("count", [1, pytest.param(2, marks=pytest.mark.full)])
def test_two_nodes_train_one_job_after_another_with_the_figures_of_one(place: Place, count: int) -> None:
    endpoint = f"127.0.0.1:{free_port()}"
    place.settings = place.settings.model_copy(update={"rendezvous": endpoint, "nodes": 2})
    place.node()
    with member(endpoint):
        jobs = [place.ended(place.submit(**JOB, **NODES)) for _ in range(count)]
        alone = place.ended(place.submit(**JOB))
    assert {job.status for job in (*jobs, alone)} == {Status.SUCCEEDED}
    *several, one = ([row.figures() for row in place.store.epochs(job.id)] for job in (*jobs, alone))
    first = several[0]
    assert several == [first] * count
    for row, like in zip(first, one, strict=True):
        assert row == pytest.approx(like, rel=1e-6, abs=1e-6)


def test_only_a_worker_with_members_takes_a_job_of_several_nodes(store: Store) -> None:
    job = store.add(parse_spec({**JOB, **NODES}))
    alone = Worker(id="worker_1", name="alone", devices=("cpu",), slots=2, queues=("cpu",))
    store.enrol(alone)
    assert store.claim(alone) is None
    assert store.waiting_for(job) == "2 nodes"
    assert store.claim(Worker(id="worker_2", name="leads", devices=("cpu",), slots=2, queues=("cpu",), nodes=2))
