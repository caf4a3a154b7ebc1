"""The watchers' bell between processes: Redis pub/sub, which may be away without harm."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import redis

from core.bell import KEY_PREFIX, MISSED, Heard, LocalWatchBell

log = logging.getLogger(__name__)
CHANNEL = f"{KEY_PREFIX}watch"
_TIMEOUT_S = 2.0
_RETRY_S = 0.5
_SUBSCRIBED_WITHIN_S = 1.0
_LOOK_UP_S = 0.5
"""How soon a listener notices that the bell was closed."""


class RedisWatchBell:
    """Rings and listens from threads of its own, so neither waits for Redis nor fails with it."""

    def __init__(self, url: str, *, channel: str = CHANNEL) -> None:
        self._url = url
        self._channel = channel
        self._listeners = LocalWatchBell()
        self._closed = threading.Event()
        self._subscribed = threading.Event()
        self._heard_all = True
        self._changed = threading.Condition()
        self._unsent: set[str] = set()
        self._ringing: threading.Thread | None = None
        self._listening: threading.Thread | None = None
        self._away = False

    def ring(self, job_id: str) -> None:
        """Tell every listener in every process; rings of one job that could not be sent yet become one.

        Listeners of this process hear it at once while Redis is away.
        """
        if self._away:
            self._listeners.ring(job_id)
        with self._changed:
            self._unsent.add(job_id)
            self._ringing = self._ringing or self._begin(self._send_all, "watch bell")
            self._changed.notify()

    def listen(self, heard: Heard) -> Callable[[], None]:
        """Call `heard` at each ring, in this bell's own thread, until the returned function is called."""
        leave = self._listeners.listen(heard)
        with self._changed:
            self._listening = self._listening or self._begin(self._hear_all, "watch bell's ear")
        self._subscribed.wait(_SUBSCRIBED_WITHIN_S)
        return leave

    def close(self) -> None:
        """End both threads; what is unsent is lost."""
        self._closed.set()
        with self._changed:
            self._changed.notify()
        for thread in (self._ringing, self._listening):
            if thread:
                thread.join(_TIMEOUT_S)

    def _begin(self, live: Callable[[redis.Redis], None], name: str) -> threading.Thread:
        thread = threading.Thread(target=self._keep, args=(live,), name=name, daemon=True)
        thread.start()
        return thread

    def _keep(self, live: Callable[[redis.Redis], None]) -> None:
        """Do it again on a new connection, for as long as this bell lives."""
        while not self._closed.is_set():
            try:
                with self._connected() as server:
                    live(server)
            except (redis.RedisError, OSError) as error:
                self._missing(error)
                self._subscribed.clear()
                self._closed.wait(_RETRY_S)

    @contextmanager
    def _connected(self) -> Iterator[redis.Redis]:
        server = redis.Redis.from_url(
            self._url,
            client_name=self._channel,
            socket_timeout=_TIMEOUT_S,
            socket_connect_timeout=_TIMEOUT_S,
            socket_keepalive=True,
            health_check_interval=15,
        )
        try:
            server.ping()
            self._found()
            yield server
        finally:
            server.close()

    def _missing(self, error: Exception) -> None:
        with self._changed:  # both threads miss it at the same moment, and it is said once
            said, self._away = self._away, True
            self._heard_all = False
        if not said:
            log.warning("Redis is away (%s): watchers fall back to polling until it is back.", error)

    def _found(self) -> None:
        with self._changed:
            was_away, self._away = self._away, False
        if was_away:
            log.warning("Redis is back.")

    def _send_all(self, server: redis.Redis) -> None:
        while not self._closed.is_set():
            with self._changed:
                self._changed.wait_for(lambda: self._unsent or self._closed.is_set())
                unsent, self._unsent = self._unsent, set()
            try:
                for job_id in unsent:
                    server.publish(self._channel, job_id)
            except (redis.RedisError, OSError):
                with self._changed:
                    self._unsent |= unsent
                raise

    def _hear_all(self, server: redis.Redis) -> None:
        with server.pubsub() as ear:  # type: ignore[no-untyped-call]
            ear.subscribe(self._channel)
            while not self._closed.is_set():
                message = ear.get_message(timeout=_LOOK_UP_S)
                if message is None:
                    continue
                if message["type"] == "subscribe":
                    self._subscribe()
                if message["type"] == "message":
                    self._listeners.ring(message["data"].decode(errors="replace"))

    def _subscribe(self) -> None:
        """What others rang while this ear was away nobody knows, so it tells its listeners that."""
        if not self._heard_all:
            self._listeners.ring(MISSED)
        self._heard_all = False  # the next time the connection was lost
        self._subscribed.set()
