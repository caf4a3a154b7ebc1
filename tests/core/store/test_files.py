"""Files that are made of a job after its end."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.errors import Gone, NotFound, WrongStatus
from core.job import Artifact
from core.store import Store
from tests.core.store.making import FINISHED, STARTED, a_spec, a_worker

GRAPH = Artifact("model.pt2", "j/exports/model.pt2", "x/y", 7, "ab")


def test_a_file_is_entered_beside_those_of_the_run_and_replaces_one_of_its_name(store: Store) -> None:
    job = ended(store)
    version = store.job(job).version
    assert store.add_artifact(job, GRAPH).created_at is not None
    other = store.add_artifact(job, replace(GRAPH, sha256="cd"))
    assert other.sha256 == "cd"
    assert [file.name for file in store.artifacts(job)] == ["model.pt2", "model.safetensors"]
    assert store.artifact(job, "model.pt2") == other
    assert store.job(job).version == version, "an ended job never changes"


def test_a_job_that_runs_or_is_gone_takes_no_file(store: Store) -> None:
    job = store.add(a_spec()).id
    with pytest.raises(WrongStatus, match="queued"):
        store.add_artifact(job, GRAPH)
    done = ended(store, job)
    store.delete(done)
    with pytest.raises(Gone):
        store.add_artifact(done, GRAPH)
    with pytest.raises(NotFound):
        store.add_artifact("job_other", GRAPH)
    assert store.artifacts(done) == []


def ended(store: Store, job_id: str | None = None) -> str:
    """A job that has succeeded."""
    job_id = job_id or store.add(a_spec()).id
    claim = store.claim(a_worker())
    assert claim is not None
    assert claim.job_id == job_id
    store.record(claim, [STARTED, FINISHED])
    return job_id
