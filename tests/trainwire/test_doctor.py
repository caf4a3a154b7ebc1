"""The doctor sees what is broken, says how to mend it, and leaves everything as it was."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url

from core import artifacts
from core.job import Worker
from core.settings import Settings
from core.store import Store, schema
from tests.acceptance.processes import Up, trainwire
from tests.servers import a_postgres, a_redis, postgres
from trainwire import folder
from trainwire.doctor import database, host, places
from trainwire.doctor.broker import broker
from trainwire.doctor.examination import examine
from trainwire.doctor.findings import Finding, Verdict, ok, told
from trainwire.doctor.scene import Scene, scene

NOBODY = "127.0.0.1:1"


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRAINWIRE_DATABASE_URL", raising=False)


@pytest.fixture
def distributed(tmp_path: Path) -> Iterator[Scene]:
    """A migrated database and a marked folder, without a worker."""
    with a_postgres() as url, a_redis(9) as broker_url:
        schema.upgrade(url)
        artifacts.mark(tmp_path)
        yield Scene(Settings(database_url=url, broker_url=broker_url, artifacts=tmp_path))


def by_name(findings: Iterator[Finding]) -> dict[str, Finding]:
    return {one.name: one for one in findings}


def everything(data: Path) -> dict[str, Any]:
    return {str(path): path.stat().st_mtime_ns for path in data.rglob("*") if path.suffix not in {".db-shm", ".db-wal"}}


def test_where_nothing_is_yet_nothing_is_broken_and_nothing_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host, "torch", lambda: iter([ok("torch", "2")]))
    data = tmp_path / "none"
    found = by_name(examine(data))
    assert Verdict.BROKEN not in {one.verdict for one in found.values()}
    assert f"`trainwire up --data {data}` makes it" in found["database"].seen
    assert not data.exists()


def test_what_is_broken_ends_in_1_and_is_counted(tmp_path: Path) -> None:
    (tmp_path / "trainwire.db").write_text("hello " * 1000)
    done = trainwire("doctor", "--data", str(tmp_path))
    assert (done.returncode, done.stdout.splitlines()[-1]) == (1, "1 is broken")
    assert "Traceback" not in done.stdout + done.stderr


def test_a_service_that_runs_is_well_and_is_left_alone(service: Up) -> None:
    before = everything(service.data)
    told = json.loads(trainwire("doctor", "--data", str(service.data), "--json").stdout)
    assert told["broken"] == 0
    seen = {check["name"]: check["seen"] for check in told["checks"]}
    assert seen["service"] == f"runs at {service.url} and is ready"
    assert seen["workers"].startswith("1 alive")
    assert "torch" in seen
    assert seen["device"] == "cpu computes"
    assert everything(service.data).keys() == before.keys()


def test_a_service_that_ended_left_all_in_order(tmp_path: Path) -> None:
    where = scene(tmp_path)
    schema.upgrade(where.settings.database_url)
    found = by_name(database.database(where))
    assert {one.verdict for one in found.values()} == {Verdict.OK}
    assert found["workers"].seen.startswith("none, for no service runs here")
    assert not folder.running_url(tmp_path)


def test_an_empty_database_is_made_ready_by_the_next_start(tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / "trainwire.db").close()
    found = by_name(database.database(scene(tmp_path)))["migrations"]
    assert (found.verdict, found.seen) == (Verdict.REMARK, "there are no tables yet")


def test_a_file_that_is_no_database_is_said_to_be_broken(tmp_path: Path) -> None:
    (tmp_path / "trainwire.db").write_text("hello " * 1000)
    (found,) = told("database", lambda: database.database(scene(tmp_path)))
    assert found.verdict is Verdict.BROKEN
    assert "not a database" in found.seen
    assert found.remedy is not None


def test_a_file_where_the_folder_should_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    found = list(places.folders(scene(tmp_path / "data")))
    assert {one.verdict for one in found} == {Verdict.BROKEN}
    assert {one.seen for one in found} == {f"{tmp_path / 'data'} is a file, not a folder"}


def test_a_distributed_service_that_is_whole(distributed: Scene) -> None:
    with_worker = Store.open(distributed.settings.database_url, settings=distributed.settings)
    worker = Worker(id="w1", name="node-1", devices=("cpu",), slots=2, queues=("cpu",))
    with_worker.beat(worker, [])
    found = (
        by_name(database.database(distributed)) | by_name(broker(distributed)) | by_name(places.folders(distributed))
    )
    with_worker.close()
    assert {name: one.verdict for name, one in found.items()} == dict.fromkeys(
        ("database", "migrations", "clock", "workers", "broker", "artifacts"), Verdict.OK
    )
    assert found["workers"].seen == "1 alive: node-1 (cpu; 2 slots)"
    assert "PostgreSQL" in found["database"].seen


def test_without_a_worker_jobs_wait(distributed: Scene) -> None:
    found = by_name(database.database(distributed))["workers"]
    assert found.verdict is Verdict.BROKEN
    assert "celery" in (found.remedy or "")


def test_a_database_without_tables_asks_for_migrate(tmp_path: Path) -> None:
    with a_postgres() as url:
        found = by_name(database.database(Scene(Settings(database_url=url, artifacts=tmp_path))))["migrations"]
    assert (found.verdict, found.remedy) == (Verdict.BROKEN, "Run `trainwire migrate`.")


def test_a_database_of_a_newer_version_is_told(distributed: Scene) -> None:
    with schema.connection(distributed.settings.database_url) as conn:
        conn.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    found = by_name(database.database(distributed))
    assert "newer Trainwire" in found["migrations"].seen
    assert "workers" not in found, "its tables may be others"


def test_a_database_that_takes_no_writes_is_broken(distributed: Scene) -> None:
    name = make_url(distributed.settings.database_url).database
    with postgres() as admin:
        admin.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on".encode())
        found = by_name(database.database(distributed))["database"]
        admin.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only".encode())
    assert (found.verdict, "takes no writes" in found.seen) == (Verdict.BROKEN, True)


def test_what_does_not_answer_is_broken_in_a_sentence_without_the_password(tmp_path: Path) -> None:
    away = Settings(
        database_url=f"postgresql://me:sesame@{NOBODY}/x", broker_url=f"redis://:sesame@{NOBODY}/0", artifacts=tmp_path
    )
    (found,) = told("database", lambda: database.database(Scene(away)))
    assert found.verdict is Verdict.BROKEN
    (rung,) = broker(Scene(away))
    assert rung.verdict is Verdict.BROKEN
    assert "TRAINWIRE_DATABASE_URL" in (found.remedy or "")
    assert "sesame" not in found.seen + rung.seen
    assert next(broker(Scene(Settings(artifacts=tmp_path)))).seen == "TRAINWIRE_BROKER_URL is not set"


def test_a_folder_without_its_marker_is_another_folder(tmp_path: Path) -> None:
    found = by_name(places.folders(Scene(Settings(artifacts=tmp_path, database_url="postgresql://x/y"))))["artifacts"]
    assert found.verdict is Verdict.BROKEN
    assert "trainwire migrate" in (found.remedy or "")


def test_a_full_disk_is_broken_and_a_small_one_a_remark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    artifacts.mark(tmp_path)
    there = Scene(Settings(artifacts=tmp_path, database_url="postgresql://x/y"))
    monkeypatch.setattr(places, "LITTLE_BYTES", 10**18)
    assert by_name(places.folders(there))["artifacts"].verdict is Verdict.REMARK
    monkeypatch.setattr(artifacts, "has_space", lambda _: False)
    assert by_name(places.folders(there))["artifacts"].verdict is Verdict.BROKEN


@pytest.mark.parametrize(
    ("version", "verdict"),
    [
        ((3, 40, 1), Verdict.REMARK),
        ((3, 51, 2), Verdict.REMARK),
        ((3, 50, 7), Verdict.OK),
        ((3, 44, 5), Verdict.REMARK),
        ((3, 51, 3), Verdict.OK),
        ((3, 53, 0), Verdict.OK),
    ],
)
def test_an_old_sqlite_is_a_remark(
    version: tuple[int, int, int], verdict: Verdict, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", version)
    assert next(host.sqlite()).verdict is verdict


def test_a_package_that_is_too_old_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "requires", lambda _: ["pydantic>=99", "nobody-has-this>=1", "ruff; extra == 'dev'"])
    found = next(host.python())
    assert found.verdict is Verdict.BROKEN
    assert ">=99" in found.seen
    assert "nobody-has-this is missing" in found.seen
    assert "ruff" not in found.seen


def test_a_torch_that_dies_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "/dev/null")
    monkeypatch.setattr(host, "PROBE", "trainwire.doctor.nowhere")
    (found,) = host.torch()
    assert (found.name, found.verdict) == ("torch", Verdict.BROKEN)
    assert "nowhere" in found.seen


def test_a_variable_that_is_no_setting_is_told_and_the_rest_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRAINWIRE_DATABSE_URL", "postgresql://x/y")
    monkeypatch.setattr(host, "torch", lambda: iter([ok("torch", "2")]))
    found = by_name(examine(tmp_path))
    assert found["settings"].verdict is Verdict.BROKEN
    assert "TRAINWIRE_DATABSE_URL" in found["settings"].seen
    assert "torch" in found


def test_whatever_happens_is_a_finding(tmp_path: Path) -> None:
    def look() -> Iterator[Finding]:
        yield ok("it", "began")
        raise KeyError(tmp_path)

    assert [one.verdict for one in told("it", look)] == [Verdict.OK, Verdict.BROKEN]
