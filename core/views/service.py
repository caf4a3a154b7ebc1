"""The service as the API shows it: its workers, its parts, and its errors."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import ConfigDict, Field

from core.views.page import Page, View


class WorkerView(View):
    """A worker that is alive: what it offers and which jobs it runs."""

    id: str
    name: str
    devices: list[str]
    slots: int
    queues: list[str]
    jobs: list[str]
    started_at: datetime | None = None
    heartbeat_at: datetime | None = None


class PartView(View):
    """A part of the catalogue: its name in a spec, its line, the JSON Schema of its settings, its facts."""

    model_config = ConfigDict(frozen=True, extra="allow", populate_by_name=True)

    name: str
    summary: str
    settings: dict[str, Any] = Field(alias="schema")


class CatalogView(View):
    """Every part that a spec can name."""

    datasets: list[PartView]
    models: list[PartView]
    layers: list[PartView] = Field(default_factory=list)
    losses: list[PartView]
    optimizers: list[PartView]
    schedulers: list[PartView]
    metrics: list[PartView]


class WorkerPage(Page[WorkerView]):
    """The workers that are alive."""


class ProblemItem(View):
    """One thing wrong: the JSON Pointer to it, what is wrong, and what is allowed."""

    pointer: str
    message: str
    allowed: Any = None


class ProblemView(View):
    """An error as RFC 9457 problem details; `code` is stable, `detail` is for people."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    errors: list[ProblemItem] = Field(default_factory=list)
