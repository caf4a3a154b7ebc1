"""The PostgreSQL and the Redis that tests share: a laptop without them skips, with CI=true that is a failure."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
import redis
from psycopg import sql
from sqlalchemy import make_url

POSTGRES = os.environ.get("TRAINWIRE_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/postgres")
REDIS = os.environ.get("TRAINWIRE_TEST_REDIS", "redis://127.0.0.1:6379")
"""Without a database's number: each room that uses Redis has its own, 4 to 7, and those beside it 8 to 15."""
_ROOMS = 4
_BESIDE = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
"""Which of the (at most three) processes that share the tests this is; each has its own databases."""


@contextmanager
def a_postgres() -> Iterator[str]:
    """The URL of a fresh PostgreSQL database, dropped behind."""
    name = f"tw_{uuid.uuid4().hex[:12]}"
    with postgres() as admin:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield make_url(POSTGRES).set(database=name).render_as_string(hide_password=False)
        finally:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def postgres() -> Iterator[psycopg.Connection[Any]]:
    """A connection to the server itself."""
    try:
        connection = psycopg.connect(POSTGRES, autocommit=True, connect_timeout=3)
    except psycopg.OperationalError as missing:
        _without(f"PostgreSQL at {POSTGRES}", missing)
    with connection:
        yield connection


@contextmanager
def a_redis(database: int) -> Iterator[str]:
    """The URL of a Redis database, with nothing of Trainwire's in it before and behind."""
    url = f"{REDIS}/{database - _ROOMS + _ROOMS * _BESIDE}"
    with redis.Redis.from_url(url) as server:
        try:
            _empty(server)
        except redis.ConnectionError as missing:
            _without(f"Redis at {url}", missing)
        yield url
        _empty(server)


def _empty(server: redis.Redis) -> None:
    server.delete(*server.scan_iter("trainwire:*"), "trainwire:")


def _without(what: str, missing: Exception) -> None:
    if os.environ.get("CI") == "true":
        raise missing
    pytest.skip(f"needs {what}: {missing}")
