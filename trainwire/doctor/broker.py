"""The broker of a distributed service: it only makes things fast, but the API does not start without one."""

from __future__ import annotations

from collections.abc import Iterator

import redis

from trainwire.doctor.findings import Finding, broken, ok, remark
from trainwire.doctor.scene import Scene

WITHIN_S = 3.0


def broker(scene: Scene) -> Iterator[Finding]:
    """Whether Redis answers, and keeps what it is given."""
    if scene.is_embedded:
        return
    if not scene.settings.broker_url:
        yield broken("broker", "TRAINWIRE_BROKER_URL is not set", "Set it to the service's Redis: redis://host:6379/0.")
        return
    try:
        with redis.Redis.from_url(
            scene.settings.broker_url, socket_timeout=WITHIN_S, socket_connect_timeout=WITHIN_S, decode_responses=True
        ) as server:
            yield _judged(server)
    except (redis.RedisError, ValueError) as error:
        remedy = "Start Redis, or correct TRAINWIRE_BROKER_URL; until then workers find jobs by looking."
        yield broken("broker", f"Redis does not answer: {error}", remedy)


def _judged(server: redis.Redis) -> Finding:
    server.ping()
    told = server.info("server")
    seen = f"Redis {told['redis_version']}"
    policy = server.info("memory").get("maxmemory_policy", "noeviction")
    if policy != "noeviction":
        remedy = "Set maxmemory-policy noeviction: a bell that is thrown away costs a poll interval."
        return remark("broker", f"{seen}, evicts by {policy}", remedy)
    return ok("broker", seen)
