"""What the tests of the command line and the client share."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from tests.acceptance.processes import Up, up
from tests.trainwire import warm
from tests.trainwire.fakes import Scripted, serving
from trainwire.client import Client


@pytest.fixture(scope="session", autouse=True)
def commands() -> Iterator[None]:
    """The end of the process that the commands are forked from."""
    yield
    warm.close()


@pytest.fixture
def scripted() -> Iterator[Scripted]:
    """A server on a free port whose `script` the test fills."""
    fake = Scripted(script=[])
    with serving(fake):
        yield fake


@pytest.fixture
def free_url() -> str:
    """An address where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """A real service that the tests of this room share."""
    with up(tmp_path_factory.mktemp("service")) as running:
        yield running


@pytest.fixture
def client(service: Up) -> Iterator[Client]:
    """A client of the shared service."""
    with Client(service.url) as ours:
        yield ours
