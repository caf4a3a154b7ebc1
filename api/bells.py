"""The workers' bell of the distributed service: a Celery message that only says "look"."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from queue import SimpleQueue

from celery import Celery

from core.bell import KEY_PREFIX

log = logging.getLogger("trainwire.api")

TASK = "trainwire.look"
KNOWN_FOR_S = 2.0
"""How long a look at which queues are served is good for; workers poll the database as often."""
EXPIRES_S = 60
MOST_WAITING = 10_000
"""Rings that may wait for a slow broker; more would not wake anyone who is not awake."""
CLOSE_WITHIN_S = 1.0


@dataclass(frozen=True, slots=True)
class _Ring:
    queue: str | None


class CeleryWorkBell:
    """Rings through a broker, from a thread of its own, so that no request waits for it or fails with it.

    Only queues that a live worker serves are rung: in others unread messages would pile up. A broker that is away
    costs a poll interval, never a job.
    """

    def __init__(self, broker_url: str, *, served: Callable[[], Collection[str]]) -> None:
        self._app = Celery("trainwire", broker=broker_url, set_as_current=False)
        self._app.conf.update(
            broker_connection_timeout=1.0,
            broker_transport_options={
                "global_keyprefix": KEY_PREFIX,
                "socket_timeout": 1.0,
                "socket_connect_timeout": 1.0,
            },
            task_ignore_result=True,
        )
        self._served = served
        self._queues: frozenset[str] = frozenset()
        self._until = 0.0
        self._away = False
        self._rings: SimpleQueue[_Ring | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._send_all, name="work bell", daemon=True)
        self._thread.start()

    def ring(self, queue: str | None) -> None:
        """Tell the workers of a queue (None: all of them) to look; returns at once and never raises."""
        if self._rings.qsize() < MOST_WAITING:
            self._rings.put(_Ring(queue))

    def close(self) -> None:
        """Send what waits, as far as that goes in a second, and give the connections back."""
        self._rings.put(None)
        self._thread.join(CLOSE_WITHIN_S)
        self._app.close()

    def _send_all(self) -> None:
        while (ring := self._rings.get()) is not None:
            try:
                self._send(ring.queue)
                self._away = False
            except Exception:
                if not self._away:
                    log.warning("could not ring the workers; they look by themselves every few seconds", exc_info=True)
                self._away = True
                self._forget()

    def _send(self, queue: str | None) -> None:
        served = self._live_queues()
        for name in served if queue is None else served & {queue}:
            self._app.send_task(TASK, queue=name, expires=EXPIRES_S, ignore_result=True, retry=False)

    def _forget(self) -> None:
        """Drop the rings that wait: by the time the broker is back the workers have looked."""
        while not self._rings.empty():
            if self._rings.get() is None:
                self._rings.put(None)
                return

    def _live_queues(self) -> frozenset[str]:
        if time.monotonic() >= self._until:
            self._queues = frozenset(self._served())
            self._until = time.monotonic() + KNOWN_FOR_S
        return self._queues
