"""Figures of the service for Prometheus, in a registry of each app's own."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from core.errors import TrainwireError
from core.job import Status

if TYPE_CHECKING:
    from api.hub import Hub
    from core.store import Store

log = logging.getLogger("trainwire.api")

TEXT = "text/plain; version=0.0.4; charset=utf-8"
UNTIMED = ("/events$", "/logs$", "^/metrics$", "^/healthz$", "^/readyz$")
"""Routes without a latency: streams last as long as a job, and probes would hide the rest."""


class ServiceCollector(Collector):
    """Jobs by status, workers alive and streams open, counted when they are asked for."""

    def __init__(self, store: Store, hub: Hub) -> None:
        self._store = store
        self._hub = hub

    def describe(self) -> Iterable[Metric]:
        """Nothing: so that registering does not ask the database."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """Count now; what cannot be counted is left out."""
        yield GaugeMetricFamily("trainwire_watchers", "Streams and long polls open.", value=self._hub.watchers)
        for count in (self._jobs, self._workers):
            yield from _counted(count)

    def _jobs(self) -> Metric:
        jobs = GaugeMetricFamily("trainwire_jobs", "Jobs by status.", labels=["status"])
        counts = self._store.counts()
        for status in Status:
            jobs.add_metric([status], counts.get(status, 0))
        return jobs

    def _workers(self) -> Metric:
        return GaugeMetricFamily("trainwire_workers", "Workers alive.", value=len(self._store.workers()))


def _counted(count: Callable[[], Metric]) -> Iterable[Metric]:
    try:
        return [count()]
    except TrainwireError as error:
        log.warning("a figure is missing from /metrics: %s", error)
        return []


def new_registry(store: Store, hub: Hub) -> CollectorRegistry:
    """The registry of one app."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(ServiceCollector(store, hub))
    for collector in (ProcessCollector, PlatformCollector, GCCollector):
        collector(registry=registry)
    return registry


def exposed(registry: CollectorRegistry) -> bytes:
    """Everything in Prometheus' text format."""
    return generate_latest(registry)
