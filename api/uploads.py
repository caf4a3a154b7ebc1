"""Uploads: streamed to the disk, looked through in a process apart, put in place, and only then entered."""

from __future__ import annotations

import asyncio
import functools
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any, TypeVar

from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from api.context import Api, limits_of
from api.forms import Form, boundary_of
from core import intake
from core.datafiles import Incoming, room, settling
from core.dataset import Dataset, Profile
from core.errors import DataRefused, StorageFull, Unavailable
from core.spec import files_of
from core.store import Upload

T = TypeVar("T")

PIECE = 1 << 20
"""So many bytes go to a thread at a time: hashing and writing them takes a millisecond."""
SPARE_BYTES = 64 << 20
"""What an upload leaves free of the disk, for what jobs write."""


async def received(api: Api, request: Request) -> tuple[Dataset, bool]:
    """The dataset that the request's form holds, and whether it is new; after an error nothing of it is left.

    Raises BadRequest for another form, DataRefused for a file that cannot be used, StorageFull, Unavailable, and
    answers 413 and 415.
    """
    form = Form(
        api.settings.artifacts,
        boundary_of(request.headers.get("content-type", "")),
        most=api.settings.max_upload_bytes,
    )
    await run_in_threadpool(_see_room, api, request.headers.get("content-length", ""))
    try:
        async for piece in _pieces(request):
            await run_in_threadpool(form.take, piece)
        return await _entered(api, form, await run_in_threadpool(form.finish))
    except asyncio.CancelledError:
        form.close()  # here and now: the loop is about to end
        raise Unavailable("The service stops before it has taken this in; send it again in a moment.") from None
    except Exception as error:
        await run_in_threadpool(form.close)
        if isinstance(error, ClientDisconnect):
            raise HTTPException(400, "The client went away.") from None
        raise


async def look(api: Api, ask: Callable[[], T]) -> T:
    """What a look into a file finds: a few at a time, and none holds up the end of this process."""
    async with api.looks:
        return await aside(ask)


async def aside(ask: Callable[[], T]) -> T:
    """What `ask` gives, in a thread of its own however long it takes; this process may end before it."""
    loop = asyncio.get_running_loop()
    found: asyncio.Future[T] = loop.create_future()
    threading.Thread(target=_look, args=(ask, loop, found), name="trainwire-look", daemon=True).start()
    return await found


async def _pieces(request: Request) -> AsyncIterator[bytes]:
    held = bytearray()
    async for chunk in request.stream():
        held += chunk
        if len(held) >= PIECE:
            yield bytes(held)
            held.clear()
    if held:
        yield bytes(held)


def _see_room(api: Api, announced: str) -> None:
    """Refuse at once what cannot fit."""
    free = room(api.settings.artifacts)
    if announced.isdecimal() and int(announced[:20]) > max(free - SPARE_BYTES, 0):
        told = f"The upload has {int(announced[:20]):,} bytes, and {free:,} are free where it would lie."
        raise StorageFull(told, hint="Free some space in the artifacts folder, or ask who runs the service to.")


async def _entered(api: Api, form: Form, file: Incoming) -> tuple[Dataset, bool]:
    name = form.name
    known = await run_in_threadpool(_known, api, file, name)
    if known is not None:
        return known, False
    limits = limits_of(api.settings)
    profile = await look(api, functools.partial(intake.inspect_file, file.path, filename=form.filename, limits=limits))
    return await run_in_threadpool(_kept, api, file, form.filename, profile, name)


async def look_at_files(api: Api, spec: Any) -> None:
    """Look into the files that a spec names, before it is judged by what is known of them then.

    What is wrong with one is told there, beside all that is wrong with the spec.
    """
    for path in files_of(spec):
        with suppress(DataRefused):
            await look(api, functools.partial(api.shelf.look, path))


def _known(api: Api, file: Incoming, name: str | None) -> Dataset | None:
    """The dataset of these bytes if there is one; they take its place, in case that it was damaged or lost there."""
    with settling(api.settings.artifacts, file.sha256):
        dataset = api.store.name_dataset(file.sha256, name=name)
        if dataset is not None:
            file.keep()
        return dataset


def _kept(api: Api, file: Incoming, filename: str, profile: Profile, name: str | None) -> tuple[Dataset, bool]:
    with settling(api.settings.artifacts, file.sha256):
        file.keep()
        return api.store.add_dataset(Upload(file.sha256, file.bytes, filename, profile), name=name)


def _look(ask: Callable[[], T], loop: asyncio.AbstractEventLoop, found: asyncio.Future[T]) -> None:
    def tell(answer: T | None, error: BaseException | None) -> None:
        if found.done():  # whoever asked has gone
            return
        if error is not None:
            found.set_exception(error)
        else:
            found.set_result(answer)  # type: ignore[arg-type]

    answer, error = None, None
    try:
        answer = ask()
    except BaseException as raised:  # noqa: BLE001  whoever asked gets it
        error = raised
    with suppress(RuntimeError):  # the loop has ended
        loop.call_soon_threadsafe(tell, answer, error)
