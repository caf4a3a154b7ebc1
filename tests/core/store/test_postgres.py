"""What PostgreSQL alone must keep: `traps.md` G1-G4 as behaviour."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import IntegrityError

from core.errors import ClaimLost, Unavailable
from core.events import Logged, RunEvent
from core.job import Status
from core.store import JobQuery, Store
from core.store.backend import Tx
from core.store.postgres import Postgres
from core.store.schema import is_current
from tests.core.store.dropping import Wire, a_wire
from tests.core.store.making import FINISHED, a_spec, a_worker, an_epoch, settings
from tests.servers import a_postgres, postgres


@pytest.fixture
def store(postgres_url: str) -> Iterator[Store]:
    store = Store.open(postgres_url, settings=settings())
    yield store
    store.close()


@pytest.fixture
def wire(postgres_url: str) -> Iterator[Wire]:
    with a_wire(postgres_url) as wire:
        yield wire


@pytest.fixture
def fragile(wire: Wire) -> Iterator[Store]:
    """A store at the far end of the wire."""
    store = Store.open(wire.url, settings=settings())
    yield store
    store.close()


def test_no_session_can_hang(store: Store) -> None:
    names = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "timezone", "application_name")
    shown = store._database.read(lambda tx: [tx.conn.scalar(text(f"SHOW {name}")) for name in names])
    assert shown == ["30s", "10s", "10s", "UTC", "trainwire"]


@pytest.mark.parametrize("after_delivery", [True, False])
def test_a_write_whose_commit_got_no_answer_counts_exactly_once(
    wire: Wire, fragile: Store, after_delivery: bool
) -> None:
    def breaking() -> None:
        wire.breaks_left, wire.after_delivery = 1, after_delivery

    breaking()
    job = fragile.add(a_spec(labels={"a": "b"}))
    assert fragile.job(job.id) == job
    breaking()
    claim = fragile.claim(a_worker())
    assert claim is not None
    assert (claim.job_id, claim.attempt) == (job.id, 1)
    breaking()
    fragile.record(claim, [an_epoch(1), Logged(("once",))])
    breaking()
    assert fragile.record(claim, [FINISHED]) is Status.SUCCEEDED
    breaking()
    fragile.enrol(a_worker())
    assert wire.broken == 5
    assert [job.id for job in fragile.jobs(JobQuery()).rows] == [job.id]
    kinds = [event.type.value for event in fragile.events(job.id)]
    assert kinds == ["status", "status", "epoch", "log", "end"]


@pytest.mark.parametrize("after_delivery", [True, False])
def test_what_a_run_tells_is_stored_once_although_the_database_went_away_while_it_committed(
    wire: Wire, fragile: Store, monkeypatch: pytest.MonkeyPatch, after_delivery: bool
) -> None:
    """Nobody can say then whether it was stored, so the run tells it again, with what came since behind it."""
    monkeypatch.setattr("core.store.postgres.LONG_PAUSES_S", (0.01,))
    wire.stays_down, wire.after_delivery = True, after_delivery
    job = fragile.add(a_spec())
    claim = fragile.claim(a_worker())
    assert claim is not None
    told: list[RunEvent] = []
    pieces: list[list[RunEvent]] = [[an_epoch(1), Logged(("one",))], [Logged(("two",))], [an_epoch(2), FINISHED]]
    for piece in pieces:
        told += piece
        wire.breaks_left = 1
        with pytest.raises(Unavailable):
            fragile.record(claim, told)
        wire.down = False
    assert fragile.record(claim, told) is Status.SUCCEEDED
    kinds = [event.type.value for event in fragile.events(job.id)]
    assert kinds == ["status", "status", "epoch", "log", "log", "epoch", "end"]
    with pytest.raises(ClaimLost):
        fragile.record(claim, [Logged(("three",))])


def test_reads_go_on_over_connections_that_the_server_closed(store: Store) -> None:
    job = store.add(a_spec())
    with postgres() as admin:
        name = make_url(str(store._database._url)).database  # type: ignore[attr-defined]
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
    assert store.job(job.id) == job
    assert store.add(a_spec()).version == 1


def test_a_transaction_whose_connection_dies_is_run_again(store: Store) -> None:
    tries = []

    def change(tx: Tx) -> int:
        tries.append(tx.conn.scalar(text("SELECT pg_backend_pid()")))
        if len(tries) == 1:
            with postgres() as admin:
                admin.execute("SELECT pg_terminate_backend(%s)", [tries[0]])
        return int(tx.conn.scalar(text("SELECT 7")) or 0)

    assert store._database.write(change) == 7
    assert len(set(tries)) == 2


def test_transactions_that_deadlock_are_run_again(store: Store) -> None:
    one, two = (store.add(a_spec(name=name)).id for name in ("a", "b"))
    lock = text("UPDATE jobs SET log_lines = log_lines + 1 WHERE id = :id")
    met = [False]

    def change(first: str, second: str) -> None:
        def both(tx: Tx) -> None:
            tx.conn.execute(lock, {"id": first})
            tx.conn.scalar(text("SELECT pg_sleep(0.2)"))
            tx.conn.execute(lock, {"id": second})

        store._database.write(both)
        met[0] = True

    with ThreadPoolExecutor(2) as threads:
        for done in [threads.submit(change, one, two), threads.submit(change, two, one)]:
            done.result()
    lines = store._database.read(lambda tx: tx.conn.scalars(text("SELECT log_lines FROM jobs")).all())
    assert lines == [2, 2]


def test_a_server_that_is_away_is_told_without_the_password() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    store = Store.open(f"postgresql://u:secret@127.0.0.1:{port}/d", settings=settings())
    assert store.describe() == f"PostgreSQL d at 127.0.0.1:{port}"
    with pytest.raises(Unavailable) as told:
        store.job("job_1")
    assert "secret" not in str(told.value)
    with pytest.raises(Unavailable):
        store.add(a_spec())
    with pytest.raises(Unavailable):
        store.healthy()
    store.close()


def test_a_database_without_tables_or_writes_is_not_healthy(store: Store) -> None:
    store.healthy()
    assert not store.in_place
    with a_postgres() as empty:
        bare = Store.open(empty, settings=settings())
        with pytest.raises(Unavailable, match="migrate"):
            bare.healthy()
        bare.close()
    name = str(make_url(str(store._database._url)).database)  # type: ignore[attr-defined]
    with postgres() as admin:
        admin.execute(
            psycopg.sql.SQL("ALTER DATABASE {} SET default_transaction_read_only = on").format(
                psycopg.sql.Identifier(name)
            )
        )
        store._database._engine.dispose()  # type: ignore[attr-defined]
        with pytest.raises(Unavailable, match="no writes"):
            store.healthy()
        with pytest.raises(Unavailable):
            store.add(a_spec())
        admin.execute(
            psycopg.sql.SQL("ALTER DATABASE {} RESET default_transaction_read_only").format(
                psycopg.sql.Identifier(name)
            )
        )


def test_a_fault_of_ours_is_not_called_unavailable(store: Store) -> None:
    job = store.add(a_spec())
    twice = text("INSERT INTO events SELECT * FROM events WHERE job_id = :id")
    with pytest.raises(IntegrityError):
        store._database.write(lambda tx: tx.conn.execute(twice, {"id": job.id}))


def test_a_claim_skips_the_row_that_a_frozen_worker_holds(store: Store, postgres_url: str) -> None:
    frozen_id, other_id = (store.add(a_spec(name=name)).id for name in ("frozen", "other"))
    with psycopg.connect(postgres_url) as frozen:
        frozen.execute("SELECT id FROM jobs WHERE id = %s FOR UPDATE", [frozen_id])
        claim = store.claim(a_worker())
        assert claim is not None
        assert claim.job_id == other_id
        frozen.rollback()
    claim = store.claim(a_worker())
    assert claim is not None
    assert claim.job_id == frozen_id


def test_no_connection_is_kept_when_callers_fail(store: Store) -> None:
    def fail(tx: Tx) -> None:
        tx.conn.execute(text("SELECT 1"))
        raise ZeroDivisionError

    with ThreadPoolExecutor(20) as threads:
        failing = [threads.submit(act, fail) for act in [store._database.read, store._database.write] * 50]
    assert {type(each.exception()) for each in failing} == {ZeroDivisionError}
    postgres = store._database
    assert isinstance(postgres, Postgres)
    assert postgres._engine.pool.checkedout() == 0  # type: ignore[attr-defined]
    assert store.counts()[Status.QUEUED] == 0


def test_events_of_one_job_are_in_time_order(store: Store, postgres_url: str) -> None:
    job = store.add(a_spec())
    store.cancel(job.id)
    first, second = store.events(job.id)
    assert first.at < second.at
    assert json.loads(second.data)["status"] == "cancelled"
    assert is_current(postgres_url)
