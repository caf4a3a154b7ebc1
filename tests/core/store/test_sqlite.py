"""What SQLite alone must keep: `traps.md` Q1-Q5 as behaviour."""

from __future__ import annotations

import multiprocessing
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, make_url, text

from core.errors import NotFound, StartRefused, Unavailable
from core.job import EventType, Job, Status
from core.sorting import Sorting
from core.store import JobQuery, Store, returning
from core.store.backend import Tx
from core.store.clock import HostClock, wall_time
from core.store.sqlite import Sqlite, writing_engine
from core.store.writer import Writer
from tests.core.store.making import FINISHED, a_spec, a_worker, settings

SPAWN = multiprocessing.get_context("spawn")


@pytest.fixture
def store(sqlite_url: str) -> Iterator[Store]:
    store = Store.open(sqlite_url, settings=settings())
    yield store
    store.close()


@pytest.fixture
def database(sqlite_url: str) -> Iterator[Sqlite]:
    database = Sqlite(make_url(sqlite_url))
    yield database
    database.close()


def pragma(tx: Tx, name: str) -> object:
    return tx.conn.exec_driver_sql(f"PRAGMA {name}").scalar()


def test_the_writer_syncs_every_commit_and_waits_for_locks(database: Sqlite) -> None:
    names = ("journal_mode", "synchronous", "busy_timeout", "foreign_keys", "journal_size_limit", "mmap_size")
    values = database.write(lambda tx: [pragma(tx, name) for name in names])
    assert values == ["wal", 2, 30_000, 1, 64 * 1024 * 1024, 0]


def test_a_reader_can_neither_write_nor_checkpoint(database: Sqlite) -> None:
    assert database.read(lambda tx: [pragma(tx, name) for name in ("query_only", "wal_autocheckpoint")]) == [1, 0]
    with pytest.raises(Unavailable, match="readonly"):
        database.read(lambda tx: tx.conn.exec_driver_sql("DELETE FROM jobs"))


def test_one_thread_writes_whoever_asks(database: Sqlite) -> None:
    with ThreadPoolExecutor(8) as threads:
        names = set(threads.map(lambda _: database.write(lambda _: threading.current_thread().name), range(50)))
    assert names == {"store-writer"}


def test_changes_that_wait_are_committed_together(sqlite_url: str) -> None:
    engine = writing_engine(make_url(sqlite_url))
    commits: list[int] = []
    event.listen(engine, "commit", lambda _: commits.append(1))
    writer = Writer(engine, HostClock())
    began, go_on = threading.Event(), threading.Event()

    def hold(_: Tx) -> None:
        began.set()
        assert go_on.wait(30)

    with ThreadPoolExecutor(51) as threads:
        first = threads.submit(writer.write, hold)
        assert began.wait(30)
        others = [
            threads.submit(writer.write, lambda tx: tx.conn.execute(text("SELECT 1")).scalar()) for _ in range(50)
        ]
        while writer._waiting.qsize() < 50:
            threading.Event().wait(0.001)
        go_on.set()
        assert [other.result() for other in others] == [1] * 50
        first.result()
    writer.close()
    engine.dispose()
    assert len(commits) == 2


def test_a_change_that_fails_takes_no_other_with_it(sqlite_url: str) -> None:
    store = Store.open(sqlite_url, settings=settings())
    began, go_on = threading.Event(), threading.Event()

    def hold(_: Tx) -> None:
        began.set()
        assert go_on.wait(30)

    def fail(tx: Tx) -> None:
        tx.conn.execute(text("INSERT INTO workers SELECT 'w','n','[]',1,'[]','','','',NULL"))
        message = "by its own fault"
        raise ZeroDivisionError(message)

    with ThreadPoolExecutor(20) as threads:
        threads.submit(store._database.write, hold)
        assert began.wait(30)
        added = [threads.submit(store.add, a_spec()) for _ in range(5)]
        failing = threads.submit(store._database.write, fail)
        missing = threads.submit(store.cancel, "job_unknown")
        more = [threads.submit(store.add, a_spec()) for _ in range(5)]
        go_on.set()
        with pytest.raises(ZeroDivisionError, match="its own fault"):
            failing.result()
        with pytest.raises(NotFound):
            missing.result()
        ids = {job.result().id for job in (*added, *more)}
    assert {job.id for job in store.jobs(JobQuery()).rows} == ids
    assert store._database.read(lambda tx: tx.conn.scalar(text("SELECT count(*) FROM workers"))) == 0
    store.close()


def test_closing_commits_what_waits_and_refuses_what_comes_later(sqlite_url: str) -> None:
    store = Store.open(sqlite_url, settings=settings())
    began, go_on = threading.Event(), threading.Event()

    def hold(_: Tx) -> None:
        began.set()
        assert go_on.wait(30)

    with ThreadPoolExecutor(8) as threads:
        threads.submit(store._database.write, hold)
        assert began.wait(30)
        added = [threads.submit(store.add, a_spec()) for _ in range(5)]
        while store._database._writer._waiting.qsize() < 5:  # type: ignore[attr-defined]
            threading.Event().wait(0.001)
        closing = threads.submit(store.close)
        go_on.set()
        closing.result()
        ids = {job.result().id for job in added}
    with pytest.raises(Unavailable, match="closed"):
        store.add(a_spec())
    store.close()
    again = Store.open(sqlite_url, settings=settings())
    assert {job.id for job in again.jobs(JobQuery()).rows} == ids
    again.close()


def test_closing_leaves_one_file(sqlite_url: str) -> None:
    store = Store.open(sqlite_url, settings=settings())
    store.add(a_spec())
    store.jobs(JobQuery())
    store.close()
    path = Path(str(make_url(sqlite_url).database))
    assert [file.name for file in path.parent.iterdir()] == [path.name]


ADD_AND_TELL = """
import sys
from core.settings import Settings
from core.spec import parse_spec
from core.store import Store
store = Store.open(sys.argv[1], settings=Settings(_env_file=None))
while True:
    print(store.add(parse_spec({"dataset": "iris", "model": "linear"})).id, flush=True)
"""


def test_a_job_that_was_told_of_survives_a_kill_right_behind(sqlite_url: str) -> None:
    with subprocess.Popen([sys.executable, "-c", ADD_AND_TELL, sqlite_url], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        told = [child.stdout.readline().strip() for _ in range(20)]
        os.kill(child.pid, signal.SIGKILL)
        told += [line.strip() for line in child.stdout if line.endswith("\n")]
    store = Store.open(sqlite_url, settings=settings())
    assert {store.job(job_id).status for job_id in told} == {Status.QUEUED}
    assert check_integrity(sqlite_url) == "ok"
    store.close()


def check_integrity(url: str) -> object:
    connection = sqlite3.connect(str(make_url(url).database))
    try:
        return connection.execute("PRAGMA integrity_check").fetchone()[0]
    finally:
        connection.close()


def test_a_copy_taken_at_any_moment_opens_as_a_whole_database(store: Store, sqlite_url: str, tmp_path: Path) -> None:
    """A power cut keeps what was synced: the file and its WAL, copied between two commits."""
    source = Path(str(make_url(sqlite_url).database))
    for number in range(5):
        ids = {store.add(a_spec()).id for _ in range(10)}
        copy = tmp_path / f"copy-{number}.db"
        shutil.copy(source, copy)
        shutil.copy(f"{source}-wal", f"{copy}-wal")
        cut = Store.open(f"sqlite:///{copy}", settings=settings())
        assert ids <= {job.id for job in cut.jobs(JobQuery(limit=200)).rows}
        cut.close()
        assert check_integrity(f"sqlite:///{copy}") == "ok"


def write_many(url: str) -> int:
    """Read, then write, in one transaction: what fails at once with a deferred BEGIN when another process writes."""
    database = Sqlite(make_url(url))

    def change(tx: Tx) -> None:
        count = tx.conn.scalar(text("SELECT count(*) FROM workers"))
        tx.conn.execute(
            text("INSERT INTO workers VALUES (:id,'n','[]',1,'[]','','','',NULL)"), {"id": f"{os.getpid()}-{count}"}
        )

    for _ in range(50):
        database.write(change)
    database.close()
    return 50


def test_many_processes_that_read_then_write_never_find_the_database_locked(sqlite_url: str) -> None:
    with SPAWN.Pool(4) as processes:
        assert sum(processes.map(write_many, [sqlite_url] * 4)) == 200
    store = Store.open(sqlite_url, settings=settings())
    assert store._database.read(lambda tx: tx.conn.scalar(text("SELECT count(*) FROM workers"))) == 200
    store.close()


def test_a_store_says_what_it_is_and_whether_it_is_well(store: Store, sqlite_url: str) -> None:
    assert store.describe() == f"SQLite {make_url(sqlite_url).database}"
    assert store.in_place
    store.healthy()
    store._database.write(lambda tx: tx.conn.exec_driver_sql("DROP TABLE jobs"))
    with pytest.raises(Unavailable, match="no such table"):
        store.healthy()


def test_a_full_disk_is_told_and_passes(store: Store) -> None:
    """SQLite then ends the whole transaction by itself; nobody is told that a job was kept that was not."""
    pages = store._database.write(lambda tx: tx.conn.exec_driver_sql("PRAGMA page_count").scalar())
    store._database.write(lambda tx: tx.conn.exec_driver_sql(f"PRAGMA max_page_count={pages}"))
    kept = 0
    with pytest.raises(Unavailable, match="full"):  # noqa: PT012  the add that fails is not known before
        while True:
            store.add(a_spec(name="x" * 200))
            kept += 1
    assert store.counts()[Status.QUEUED] == kept
    store._database.write(lambda tx: tx.conn.exec_driver_sql("PRAGMA max_page_count=1000000"))
    store.add(a_spec())
    assert store.counts()[Status.QUEUED] == kept + 1


def test_a_folder_that_cannot_be_written_refuses_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StartRefused, match="cannot be written"):
        Store.open(f"sqlite:///{tmp_path}/file/trainwire.db", settings=settings())


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://u:secret@h/d", "nonsense", ""])
def test_a_url_that_cannot_be_shared_or_is_none_refuses_the_start(url: str) -> None:
    with pytest.raises(StartRefused) as refused:
        Store.open(url, settings=settings())
    assert "secret" not in str(refused.value)


def test_no_read_that_is_polled_scans_or_sorts_the_history(store: Store) -> None:
    job = store.add(a_spec(labels={"a": "b"}))
    plans = explained(store, lambda: read_all(store, job))
    scans = [plan for plan in plans if "SCAN" in plan and "anon" not in plan and "INDEX" not in plan]
    assert scans == []
    assert not [plan for plan in plans if "TEMP B-TREE" in plan]


def explained(store: Store, read: Callable[[], object]) -> list[str]:
    """How SQLite means to do what `read` asks of it, step by step."""
    plans: list[str] = []
    connection = sqlite3.connect(str(store.describe().removeprefix("SQLite ")))

    def explain(*given: Any) -> None:
        plans.extend(row[-1] for row in connection.execute(f"EXPLAIN QUERY PLAN {given[2]}", given[3]))

    event.listen(store._database._reading, "before_cursor_execute", explain)  # type: ignore[attr-defined]
    read()
    event.remove(store._database._reading, "before_cursor_execute", explain)  # type: ignore[attr-defined]
    connection.close()
    return plans


def read_all(store: Store, job: Job) -> None:
    """All that is polled."""
    after = store.jobs(JobQuery()).next
    store.jobs(JobQuery(after=after, name="x"))
    store.jobs(JobQuery(after=after, labels={"a": "b"}))
    store.jobs(JobQuery(after=after, order=Sorting.OLDEST))
    store.job(job.id)
    store.pulse([job.id])
    store.events(job.id)
    store.events(job.id, types=[EventType.LOG])
    store.epochs(job.id)
    store.held("wk_1")
    store.named_checkpoints(job.id)
    store.known_jobs([job.id])
    store.deleted_jobs([job.id])
    store._database.read(returning.without_space)
    store.claim(a_worker(queues=("other",), devices=("mps",)))


@pytest.mark.parametrize("order", sorted(set(Sorting) - {Sorting.NEWEST, Sorting.OLDEST}))
def test_a_list_by_a_figure_is_read_off_its_index_and_only_its_page_is_sorted(store: Store, order: Sorting) -> None:
    store.add(a_spec())
    plans = explained(store, lambda: store.jobs(JobQuery(order=order)))
    by_figure = re.compile(r"SEARCH jobs USING (COVERING )?INDEX ix_jobs_status_(name|best_loss|finished_at)_id")
    walks = [plan for plan in plans if by_figure.match(plan)]
    assert len(walks) == len(Status) * (1 if order.endswith("name") else 2)
    sorted_rows = {source for source, plan in pairwise(plans) if "TEMP B-TREE" in plan}
    assert all(source.startswith("SCAN anon") for source in sorted_rows), "what is sorted is a page long already"


def test_reads_do_not_wait_for_a_writer(store: Store) -> None:
    job = store.add(a_spec())
    began, go_on = threading.Event(), threading.Event()

    def hold(_: Tx) -> None:
        began.set()
        assert go_on.wait(30)

    with ThreadPoolExecutor(1) as threads:
        holding = threads.submit(store._database.write, hold)
        assert began.wait(30)
        assert store.job(job.id).status is Status.QUEUED
        go_on.set()
        holding.result()
    claim = store.claim(a_worker())
    assert claim is not None
    assert store.record(claim, [FINISHED]) is Status.SUCCEEDED


def test_a_clock_that_is_set_forward_ends_no_lease(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    later = wall_time() + timedelta(hours=2)
    store.add(a_spec())
    assert store.claim(a_worker()) is not None
    monkeypatch.setattr("core.store.clock.wall_time", lambda: later)
    store.beat(a_worker("other"), [])
    assert store.sweep() == []
