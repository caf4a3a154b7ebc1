"""Rows that cannot be read or changed: in nobody's way, and ended."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import text

from core.errors import Unavailable
from core.job import Reason, Status
from core.store import JobQuery, Store
from core.store.backend import Tx
from tests.core.store.conftest import OpenStore
from tests.core.store.making import a_claim, a_spec, a_worker

DAMAGE = {
    "a log whose next number is taken": "last_seq = 1",
    "a spec that is no JSON": "spec = '{'",
    "an error that is no JSON": "error = 'oops'",
    "a parent that is a number": "parent = '['",
    "a reason that is none": "status_reason = 'because'",
}


def damage(store: Store, job_id: str, what: str) -> None:
    change = text(f"UPDATE jobs SET {DAMAGE[what]} WHERE id = :id")
    store._database.write(lambda tx: tx.conn.execute(change, {"id": job_id}))


def status_of(store: Store, job_id: str) -> tuple[str, str]:
    def look(tx: Tx) -> tuple[str, str]:
        row = tx.conn.execute(text("SELECT status, status_reason FROM jobs WHERE id = :id"), {"id": job_id}).one()
        return row[0], row[1]

    return store._database.read(look)


@pytest.mark.parametrize(("what", "jobs"), list(zip(DAMAGE, (50, 3, 3, 3, 3), strict=True)))
def test_of_many_lost_jobs_the_damaged_one_fails_and_the_others_come_back(
    open_store: OpenStore, caplog: pytest.LogCaptureFixture, what: str, jobs: int
) -> None:
    store = open_store(lease_s=1e-6)
    ids = [store.add(a_spec()).id for _ in range(jobs)]
    for _ in ids:
        a_claim(store)
    damaged = ids[1]
    damage(store, damaged, what)
    assert sorted(store.sweep()) == sorted(ids)
    assert status_of(store, damaged) == ("failed", "internal_error")
    assert damaged in caplog.text
    statuses = {store.job(job_id).status for job_id in ids if job_id != damaged}
    assert statuses == {Status.QUEUED}
    assert store.sweep() == []


@pytest.mark.parametrize("what", list(DAMAGE)[:2])
def test_a_damaged_job_at_the_head_of_the_queue_keeps_nobody_waiting(store: Store, what: str) -> None:
    first = store.add(a_spec(priority=5)).id
    second = store.add(a_spec()).id
    if what.startswith("a log"):
        store._database.write(lambda tx: tx.conn.execute(text("UPDATE jobs SET last_seq = 0")))
        store._database.write(lambda tx: tx.conn.execute(text("UPDATE jobs SET last_seq = 1 WHERE priority = 0")))
    else:
        damage(store, first, what)
    assert a_claim(store).job_id == second
    assert status_of(store, first) == ("failed", "internal_error")
    assert store.claim(a_worker()) is None


def test_a_list_with_a_damaged_job_can_be_read_once_it_was_found(store: Store) -> None:
    job_id = store.add(a_spec()).id
    damage(store, job_id, "a spec that is no JSON")
    assert store.claim(a_worker()) is None
    [job] = store.jobs(JobQuery()).rows
    assert (job.status, job.status_reason, job.spec) == (Status.FAILED, Reason.INTERNAL_ERROR, {})
    assert job.error is not None
    assert [event.seq for event in store.events(job_id)] == [1, 2]
    assert json.loads(store.events(job_id)[-1].data)["status"] == "failed"
    store.delete(job_id)


def test_a_table_that_the_code_does_not_know_fails_no_job(open_store: OpenStore) -> None:
    """A database that another version migrates meanwhile is no damage to its rows."""
    store = open_store(lease_s=1e-6)
    job_id = store.add(a_spec()).id
    a_claim(store)
    rename = "ALTER TABLE jobs RENAME COLUMN log_lines TO lines_of_log"
    store._database.write(lambda tx: tx.conn.execute(text(rename)))
    try:
        assert store.sweep() == []
        assert status_of(store, job_id)[0] == "running"
    finally:
        back = "ALTER TABLE jobs RENAME COLUMN lines_of_log TO log_lines"
        store._database.write(lambda tx: tx.conn.execute(text(back)))
    assert store.sweep() == [job_id]


def test_a_database_that_is_away_fails_no_job(open_store: OpenStore, monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_store(lease_s=1e-6)
    job_id = store.add(a_spec()).id
    a_claim(store)

    def away(_: object) -> bool:
        raise Unavailable

    with monkeypatch.context() as patched:
        patched.setattr(store._database, "write", away)
        assert store.sweep() == []
    assert store.sweep() == [job_id]
