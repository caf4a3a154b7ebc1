"""Many jobs on one stream, or the same page by page: what the database has, then what comes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

from api.context import Api
from api.courses import Course, Message
from api.stream import RETRY
from core.errors import Unavailable
from core.wire import dumps

MOST_MESSAGES = 1000
"""With so many on a page it is full; what waits comes with the next one."""


async def pieces(api: Api, course: Course) -> AsyncIterator[bytes]:
    """The stream's bytes; it holds no database connection while it waits."""
    yield RETRY
    try:
        with api.hub.watch_many(course.inbox, course.told):
            async for messages in course.replay():
                yield _joined(messages)
            while not course.is_over:
                mail = await course.inbox.mail()
                if text := _joined(course.messages(mail)):
                    yield text
                if mail.over:
                    return
    except Unavailable:
        return


async def page(api: Api, course: Course, *, wait_s: float) -> str:
    """What there is behind the cursor, as soon as there is anything or after `wait_s` seconds, as JSON."""
    clock = asyncio.get_running_loop().time
    deadline = clock() + wait_s
    with api.hub.watch_many(course.inbox, course.told):
        found, is_full = await _replayed(course)
        while not found and (left := deadline - clock()) > 0:
            mail = await course.inbox.mail(within_s=left)
            found, is_full = await _replayed(course)
            if mail.over:
                break
    data = ",".join(message.json for message in found)
    return f'{{"data":[{data}],{dumps({"has_more": is_full, "next": course.cursor})[1:]}'


async def _replayed(course: Course) -> tuple[list[Message], bool]:
    found: list[Message] = []
    async for messages in course.replay():
        found += messages
        if len(found) >= MOST_MESSAGES:
            return found, True
    return found, False


def _joined(messages: Sequence[Message]) -> bytes:
    return b"".join(message.sse for message in messages)
