"""The columns of uploads, and of what jobs rest on beside their own rows."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, Text, TypedColumns

from core.store.columns import Instant, JsonText


class DatasetColumns(TypedColumns):
    """The uploads, one row for the same bytes; `profile` is what was found in them."""

    id: Column[str] = Column(Text, primary_key=True)
    sha256: Column[str] = Column(Text, nullable=False, unique=True)
    bytes: Column[int] = Column(BigInteger, nullable=False)
    filename: Column[str] = Column(Text, nullable=False)
    profile: Column[Any] = Column(JsonText, nullable=False)
    created_at: Column[datetime] = Column(Instant, nullable=False)


class DatasetNameColumns(TypedColumns):
    """The names that uploads were given; versions of a name count from 1, and no number comes twice."""

    name: Column[str] = Column(Text, primary_key=True)
    version: Column[int] = Column(Integer, primary_key=True, autoincrement=False)
    dataset_id: Column[str | None] = Column(Text, ForeignKey("datasets.id", ondelete="SET NULL"))


class JobDatasetColumns(TypedColumns):
    """The uploads that jobs need beside the one in `dataset_id`: for validation, for the test, to start from."""

    dataset_id: Column[str] = Column(Text, primary_key=True)
    job_id: Column[str] = Column(Text, ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)


class JobSourceColumns(TypedColumns):
    """The jobs whose weights other jobs start from."""

    source_id: Column[str] = Column(Text, primary_key=True)
    job_id: Column[str] = Column(Text, ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
