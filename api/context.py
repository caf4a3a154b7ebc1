"""What every route works with: the store, the hub, the bells and the settings of this API."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, ParamSpec, TypeVar

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool

from api.hub import Hub
from api.node import NodeView
from core.bell import WatchBell, WorkBell
from core.settings import Settings
from core.store import Store

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Api:
    """One API and what it stands on; `node` is there when workers live in the same process."""

    store: Store
    hub: Hub
    watch_bell: WatchBell
    work_bell: WorkBell
    settings: Settings
    node: NodeView | None

    async def read(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """A short read: here and now where the store is that cheap, else in a thread."""
        if self.store.in_place:
            return call(*args, **kwargs)
        return await run_in_threadpool(call, *args, **kwargs)


def the_api(request: Request) -> Api:
    """The API that this request came to."""
    api: Api = request.app.state.api
    return api


ApiDep = Annotated[Api, Depends(the_api)]
