"""The workers' bell of the distributed service: a Celery message that only says "look"."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection

from celery import Celery

log = logging.getLogger("trainwire.api")

TASK = "trainwire.look"
KNOWN_FOR_S = 2.0
"""How long a look at which queues are served is good for; workers poll the database as often."""
EXPIRES_S = 60


class CeleryWorkBell:
    """Rings through a broker, for those queues that a live worker serves: unread messages would pile up in others.

    A broker that is away costs a poll interval, never a job.
    """

    def __init__(self, broker_url: str, *, served: Callable[[], Collection[str]]) -> None:
        self._app = Celery("trainwire", broker=broker_url, set_as_current=False)
        self._app.conf.update(
            broker_connection_timeout=1.0,
            broker_transport_options={"socket_timeout": 1.0, "socket_connect_timeout": 1.0},
            task_ignore_result=True,
        )
        self._served = served
        self._queues: frozenset[str] = frozenset()
        self._until = 0.0

    def ring(self, queue: str | None) -> None:
        """Send one message to `queue`, or to every queue that is served; never raises."""
        try:
            served = self._live_queues()
            for name in served if queue is None else served & {queue}:
                self._app.send_task(TASK, queue=name, expires=EXPIRES_S, ignore_result=True, retry=False)
        except Exception:
            log.warning("could not ring the workers; they look by themselves every few seconds", exc_info=True)

    def close(self) -> None:
        """Give the connections back."""
        self._app.close()

    def _live_queues(self) -> frozenset[str]:
        if time.monotonic() >= self._until:
            self._queues = frozenset(self._served())
            self._until = time.monotonic() + KNOWN_FOR_S
        return self._queues
