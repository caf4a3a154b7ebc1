"""What every public value is, and how a list of them is told."""

from __future__ import annotations

from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict

T = TypeVar("T")


class View(BaseModel):
    """A public value; a field that a later server adds does not break an older client."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Page(View, Generic[T]):
    """A part of a list; hand `next` back as `after` to read on."""

    data: list[T]
    has_more: bool
    next: str | None = None
