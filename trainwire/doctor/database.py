"""The database: reachable, writable, of this version; whose clock is right; and which workers are alive."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, func, select, text

from core.store import fleet, schema
from core.store.backend import Tx
from core.store.clock import HostClock, ServerClock, wall_time
from core.store.databases import parse
from core.store.tables import jobs
from trainwire.doctor.findings import Finding, broken, ok, remark
from trainwire.doctor.opening import file_of, opened, write_lock
from trainwire.doctor.scene import Scene

SKEW_S = 2.0
"""Between the clocks of two hosts: nothing but the times that people read depends on it."""


def database(scene: Scene) -> Iterator[Finding]:
    """All that its database tells of a service."""
    url = parse(scene.settings.database_url)
    if _is_file(url) and not file_of(url).exists():
        yield _not_made(scene, url)
        return
    if _is_file(url):
        write_lock(file_of(url))
    with opened(url) as conn:
        yield _writable(conn, url)
        yield (migrated := _migrated(conn, scene))
        if migrated.verdict == "ok":
            yield _clock(conn, url)
            yield _workers(conn, scene, url)


def _is_file(url: URL) -> bool:
    return url.get_backend_name() == "sqlite"


def _not_made(scene: Scene, url: URL) -> Finding:
    if scene.is_embedded:
        return ok("database", f"{file_of(url)}, not made yet; `{scene.up}` makes it")
    return broken("database", f"{file_of(url)} is not there", "Run `trainwire migrate`.")


def _writable(conn: Connection, url: URL) -> Finding:
    if _is_file(url):
        return ok("database", f"SQLite {file_of(url)}, readable and writable")
    seen = f"PostgreSQL {conn.scalar(text('SHOW server_version'))}, {url.database} at {url.host}"
    if conn.scalar(text("SHOW transaction_read_only")) == "on":
        remedy = "Name the primary in TRAINWIRE_DATABASE_URL, or let this user write."
        return broken("database", f"{seen}, takes no writes", remedy)
    return ok("database", f"{seen}, readable and writable")


def _migrated(conn: Connection, scene: Scene) -> Finding:
    revision = MigrationContext.configure(conn).get_current_revision()
    known = ScriptDirectory.from_config(_script())
    command = scene.up if scene.is_embedded else "trainwire migrate"
    if revision == known.get_current_head():
        return ok("migrations", f"current ({revision})")
    if revision is not None and revision not in {script.revision for script in known.walk_revisions()}:
        seen = f"revision {revision} is of a newer Trainwire than this one"
        return broken("migrations", seen, "Install that newer Trainwire, or use another database.")
    seen = f"revision {revision}, not {known.get_current_head()}" if revision else "there are no tables yet"
    if scene.is_embedded and scene.url is None:
        return remark("migrations", seen, f"`{command}` brings them up to date.")
    return broken("migrations", seen, f"Run `{command}`.")


def _script() -> Config:
    settings = Config()
    settings.set_main_option("script_location", str(schema.MIGRATIONS).replace("%", "%%"))
    settings.set_main_option("path_separator", "os")
    return settings


def _clock(conn: Connection, url: URL) -> Finding:
    if _is_file(url):
        newest = conn.scalar(select(func.max(jobs.c.created_at)))
        ahead = (newest - wall_time()).total_seconds() if newest else 0.0
        if ahead > SKEW_S:
            seen = f"this host's clock stands {ahead:,.0f} s before the newest job"
            return remark("clock", seen, "Set the clock (NTP): leases do not need it, people who read times do.")
        return ok("clock", "this host's own")
    before = datetime.now(UTC)
    there = conn.scalar(select(ServerClock().now()))
    skew = (there - before).total_seconds() if there else 0.0
    if abs(skew) > SKEW_S:
        seen = f"the database is {skew:+,.1f} s from this host"
        return remark("clock", seen, "Let NTP set both: leases go by the database's, people read both.")
    return ok("clock", f"the database is {skew:+.1f} s from this host")


def _workers(conn: Connection, scene: Scene, url: URL) -> Finding:
    alive = fleet.alive(Tx(conn, HostClock() if _is_file(url) else ServerClock()))
    if alive:
        named = ", ".join(f"{one.name} ({', '.join(one.devices)}; {one.slots} slots)" for one in alive)
        return ok("workers", f"{len(alive)} alive: {named}")
    if scene.is_embedded and scene.url is None:
        return ok("workers", f"none, for no service runs here; `{scene.up}` starts one")
    remedy = f"Stop the service and start it again: `{scene.up}`."
    if not scene.is_embedded:
        remedy = "Start one: celery -A worker.app worker -P threads -Q cpu"
    return broken("workers", "none is alive, so jobs wait", remedy)
