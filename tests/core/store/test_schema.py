"""The history of the tables: it builds what the code says, on both databases, from anywhere, once."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Connection, create_engine, inspect, text

from core.errors import StartRefused
from core.store import JobQuery, Store
from core.store.schema import config, connection, head, is_current, upgrade
from core.store.tables import metadata
from tests.core.store.making import a_checkpoint, a_spec, a_worker, an_epoch, settings
from tests.servers import a_postgres

TABLES = {"jobs", "job_labels", "events", "epochs", "artifacts", "checkpoints", "submissions", "removed", "workers"}
UPLOADS = {"datasets", "dataset_names", "job_datasets", "job_sources"}
TRIALS = {"probes"}
TABLES |= UPLOADS | TRIALS


@pytest.fixture(params=["sqlite", "postgres"])
def bare(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without tables, of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/folder/that/is/new/trainwire.db"
    else:
        with a_postgres() as url:
            yield url


def tables(url: str) -> set[str]:
    engine = create_engine(url)
    found = set(inspect(engine).get_table_names())
    engine.dispose()
    return found - {"alembic_version"}


def test_an_empty_database_is_brought_up_to_date(bare: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert not is_current(bare)
    upgrade(bare)
    assert is_current(bare)
    assert tables(bare) == TABLES
    assert capfd.readouterr() == ("", "")


def test_the_migrations_build_what_the_code_says(bare: str) -> None:
    upgrade(bare)
    with connection(bare) as conn:
        command.check(config(conn))


def test_going_down_and_up_again_leaves_the_same_tables(bare: str) -> None:
    upgrade(bare)
    with connection(bare) as conn:
        command.downgrade(config(conn), "base")
    assert tables(bare) == set()
    upgrade(bare)
    with connection(bare) as conn:
        command.check(config(conn))


def test_migrating_again_keeps_every_job(bare: str) -> None:
    upgrade(bare)
    store = Store.open(bare, settings=settings())
    job = store.add(a_spec())
    upgrade(bare)
    assert store.job(job.id) == job
    store.close()


def test_many_that_migrate_at_once_do_it_once(bare: str) -> None:
    with ThreadPoolExecutor(4) as threads:
        for done in [threads.submit(upgrade_in_a_process, bare) for _ in range(4)]:
            assert done.result() == 0
    assert tables(bare) == TABLES


def upgrade_in_a_process(url: str) -> int:
    script = "import sys; from core.store.schema import upgrade; upgrade(sys.argv[1])"
    return subprocess.run([sys.executable, "-c", script, url], check=False).returncode


def test_a_database_newer_than_the_code_refuses_the_start(bare: str) -> None:
    upgrade(bare)
    with connection(bare) as conn:
        conn.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    for look in (upgrade, is_current):
        with pytest.raises(StartRefused, match="9999"):
            look(bare)


def test_the_migrations_are_found_from_any_folder_even_one_with_migrations_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "migrations").mkdir()
    (tmp_path / "migrations" / "__init__.py").write_text("")
    script = "from core.store.schema import upgrade, head; upgrade('sqlite:///x.db'); print(head())"
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == head()


def test_a_server_that_is_away_refuses_the_start_in_one_sentence() -> None:
    with pytest.raises(StartRefused) as refused:
        upgrade("postgresql://u:secret@127.0.0.1:1/d")
    assert "secret" not in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_file_that_is_no_database_refuses_the_start(tmp_path: Path) -> None:
    (tmp_path / "trainwire.db").write_text("This is no database, but it is long enough to look at. " * 20)
    with pytest.raises(StartRefused, match="not a database"):
        upgrade(f"sqlite:///{tmp_path}/trainwire.db")


def test_the_migrations_make_the_very_tables_and_partial_indexes_of_the_code(tmp_path: Path) -> None:
    """`alembic check` compares neither what an index covers nor how a table is laid out."""
    migrated, direct = (f"sqlite:///{tmp_path}/{name}.db" for name in ("migrated", "direct"))
    upgrade(migrated)
    engine = create_engine(direct)
    metadata.create_all(engine)
    engine.dispose()
    assert statements(migrated) == statements(direct)


def statements(url: str) -> dict[str, set[str]]:
    """Every CREATE of a SQLite file by name, as the set of its parts: a column that was added stands elsewhere."""
    engine = create_engine(url)
    with engine.connect() as conn:
        found = conn.execute(text("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"))
        made = {name: {part.strip(" \t") for part in re.split(r",|\n", sql)} for name, sql in found}
    engine.dispose()
    return {name: lines for name, lines in made.items() if name != "alembic_version"}


def test_alembic_finds_the_database_in_the_environment(bare: str) -> None:
    upgrade(bare)
    checkout = Path(__file__).parents[3]
    line = [sys.executable, "-m", "alembic", "check"]
    environment = {**os.environ, "TRAINWIRE_DATABASE_URL": bare}
    done = subprocess.run(line, cwd=checkout, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


JOB_OF_BEFORE = """
INSERT INTO jobs (id, name, status, spec, priority, device, attempt, failures, last_seq, log_lines, worker_id,
                  worker_name, lease_until, created_at)
VALUES ('job_old', 'old', 'running', :spec, 0, 'auto', 2, 1, 3, 0, 'wk_1', 'one', :at, :at)
"""
EVENT_OF_BEFORE = "INSERT INTO events VALUES ('job_old', :seq, :at, :type, :data)"
EPOCH_OF_BEFORE = (
    "INSERT INTO epochs (job_id, epoch, train_loss, val_loss, metrics, lr, epoch_s, samples_per_s, data_wait_s) "
    "VALUES ('job_old', 1, 0.5, NULL, '{}', 0.1, 0.01, 8000, 0.001)"
)
LABEL_OF_BEFORE = "INSERT INTO job_labels VALUES ('team', 'a', 'job_old')"


def seed(conn: Connection) -> None:
    """A running job as the version before leaves it."""
    at = "2026-01-01T00:00:00.000000Z"
    spec = a_spec(name="old", labels={"team": "a"}).model_dump(mode="json")
    for unknown in ("checkpoints", "deadline_s", "stall_timeout_s", "on_out_of_memory"):
        del spec[unknown]
    conn.execute(text(JOB_OF_BEFORE), {"spec": json.dumps(spec), "at": at})
    moves = [("queued", None), ("running", None)]
    for seq, (status, reason) in enumerate(moves, start=1):
        data = json.dumps({"status": status, "reason": reason, "by": "user"})
        conn.execute(text(EVENT_OF_BEFORE), {"seq": seq, "at": at, "type": "status", "data": data})
    conn.execute(text(EVENT_OF_BEFORE), {"seq": 3, "at": at, "type": "epoch", "data": '{"epoch":1}'})
    conn.execute(text(EPOCH_OF_BEFORE))
    conn.execute(text(LABEL_OF_BEFORE))


@pytest.mark.parametrize("first", ["0001", "head"])
def test_a_job_that_the_version_before_wrote_goes_on(bare: str, first: str) -> None:
    """Also one that it writes into the new tables, while both versions run."""
    with connection(bare) as conn:
        command.upgrade(config(conn), first)
        seed(conn)
    upgrade(bare)
    store = Store.open(bare, settings=settings())
    assert [row.train_loss for row in store.epochs("job_old")] == [0.5]
    assert store.recover() == ["job_old"]
    claim = store.claim(a_worker())
    assert claim is not None
    assert (claim.attempt, claim.run_s, claim.lineage, claim.checkpoints) == (3, 0.0, (), ())
    store.record(claim, [an_epoch(1, train_loss=0.5, val_loss=None, metrics={}), a_checkpoint(claim, 1), an_epoch(2)])
    assert [event.seq for event in store.events("job_old")] == list(range(1, 8))
    assert len(store.checkpoints("job_old")) == 1
    assert store.jobs(JobQuery(labels={"team": "a"})).rows[0].inexact is None
    store.close()


def test_jobs_of_before_are_listed_by_the_losses_that_they_had(bare: str) -> None:
    best = {
        "validated": '{"epoch":1,"train_loss":9.0,"val_loss":0.5}',
        "trained": '{"epoch":1,"train_loss":0.25}',
        "odd": '{"epoch":1,"train_loss":0.1,"val_loss":null,"nonfinite":{"val_loss":"nan"}}',
        "damaged": '{"epoch":',
    }
    with connection(bare) as conn:
        command.upgrade(config(conn), "0014")
        for number, (name, row) in enumerate(best.items()):
            ended = JOB_OF_BEFORE.replace("'job_old', 'old', 'running'", ":id, :name, 'succeeded'")
            values = {"id": f"job_{number:032x}", "name": name, "spec": json.dumps(a_spec().model_dump(mode="json"))}
            conn.execute(text(ended), values | {"at": "2026-01-01T00:00:00.000000Z"})
            conn.execute(text("UPDATE jobs SET best = :row WHERE name = :name"), {"row": row, "name": name})
    upgrade(bare)
    with connection(bare) as conn:
        losses = conn.execute(text("SELECT name, best_loss FROM jobs ORDER BY id")).all()
    assert [tuple(row) for row in losses] == [("validated", 0.5), ("trained", 0.25), ("odd", None), ("damaged", None)]


def test_going_back_keeps_what_the_version_before_knows(bare: str) -> None:
    upgrade(bare)
    with connection(bare) as conn:
        seed(conn)
    store = Store.open(bare, settings=settings())
    store.recover()
    claim = store.claim(a_worker())
    assert claim is not None
    store.record(claim, [a_checkpoint(claim, 1), an_epoch(2)])
    store.close()
    with connection(bare) as conn:
        command.downgrade(config(conn), "0001")
        assert conn.scalar(text("SELECT status FROM jobs")) == "running"
        assert conn.scalar(text("SELECT max(epoch) FROM epochs")) == 2
    assert tables(bare) == TABLES - {"checkpoints", "submissions", "removed"} - UPLOADS - TRIALS
    upgrade(bare)
