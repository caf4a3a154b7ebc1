"""Column types that hold the same values exactly in SQLite and PostgreSQL."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Generic, TypeVar

from sqlalchemy import DateTime, Dialect, Double, Text, TypeDecorator
from sqlalchemy.types import TypeEngine

from core import wire

Word = TypeVar("Word", bound=StrEnum)


class Instant(TypeDecorator[datetime]):
    """A moment in UTC; RFC 3339 text of one width in SQLite, so that text order is time order."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Text in SQLite, which has no type for times."""
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Write a moment."""
        return wire.rfc3339(value) if value is not None and dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Read a moment."""
        if value is None:
            return None
        moment = datetime.fromisoformat(value) if dialect.name == "sqlite" else value
        return moment.astimezone(UTC) if moment.tzinfo is not UTC else moment


class _AsGiven(Double[float]):
    """A double column of SQLite that leaves what is written as it is: SQLAlchemy's own makes a float of `nan`."""

    def bind_processor(self, dialect: Dialect) -> None:
        """Change nothing."""


class ExactFloat(TypeDecorator[float]):
    """A double, NaN included, which SQLite would turn into NULL: there it is the text `nan`."""

    impl = Double
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """A column that takes text too, in SQLite."""
        return dialect.type_descriptor(_AsGiven() if dialect.name == "sqlite" else Double())

    def process_bind_param(self, value: float | None, dialect: Dialect) -> Any:
        """Write a number."""
        return "nan" if value is not None and math.isnan(value) and dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> float | None:  # noqa: ARG002  its signature
        """Read a number."""
        return None if value is None else float(value)


class JsonText(TypeDecorator[Any]):
    r"""JSON as text in both: PostgreSQL's own types refuse the `\u0000` that a log line may hold."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:  # noqa: ARG002  its signature
        """Write a value."""
        return None if value is None else encode(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:  # noqa: ARG002  its signature
        """Read a value."""
        return None if value is None else json.loads(value)


class Words(TypeDecorator[Word], Generic[Word]):
    """One of an enum's words, as text."""

    impl = Text
    cache_ok = True

    def __init__(self, words: type[Word]) -> None:
        super().__init__()
        self.words = words

    def process_bind_param(self, value: Word | None, dialect: Dialect) -> str | None:  # noqa: ARG002  its signature
        """Write a word."""
        return None if value is None else value.value

    def process_result_value(self, value: str | None, dialect: Dialect) -> Word | None:  # noqa: ARG002  its signature
        """Read a word."""
        return None if value is None else self.words(value)


def encode(value: Any) -> str:
    """JSON text that both databases take: lone surrogates, which UTF-8 cannot hold, become `?`."""
    text = wire.dumps(value)
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
