"""What every test shares: the switch for the large sizes, and who runs what first where several processes share it."""

from __future__ import annotations

import gc
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from xdist.scheduler import LoadFileScheduling

if TYPE_CHECKING:
    from xdist.remote import Producer

LONG = ("tests/e2e/", "tests/chaos/", "tests/acceptance/", "tests/trainwire/", "tests/worker/")
"""The tests with services of their own, the longest first: what is long is begun early, so that none is left alone."""
SHARED = ("tests/acceptance/doors/", "tests/e2e/")
"""Folders whose files share a service (and a browser)."""
DOOR = re.compile(r"tests/chaos/.*\[(embedded|celery)\]")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="run the large sizes too")
    parser.addoption("--pictures", metavar="FOLDER", help="where tests/e2e leaves the pictures of the pages")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """What is loaded here stays to the end: looking for garbage in it takes a third of the time, and later as much."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: next((place for place, long in enumerate(LONG) if item.nodeid.startswith(long)), 99))
    if config.getoption("--full"):
        return
    for item in items:
        if item.get_closest_marker("full"):
            item.add_marker(pytest.mark.skip(reason="a large size: run with --full"))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadFileScheduling:
    return ByService(config, log)


class ByService(LoadFileScheduling):  # type: ignore[misc]  # it comes without types
    """Each file to one process, in the order of the collection; what shares a running service stays together."""

    def _split_scope(self, nodeid: str) -> str:
        if found := DOOR.match(nodeid):
            return f"chaos {found[1]}"
        for shared in SHARED:
            if nodeid.startswith(shared):
                return shared
        return str(super()._split_scope(nodeid))

    def schedule(self) -> None:
        self.config.option.loadscopereorder = False
        super().schedule()
