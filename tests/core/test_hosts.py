"""Which names can only mean this machine."""

from __future__ import annotations

import pytest

from core.hosts import is_loopback


@pytest.mark.parametrize(
    ("host", "inside"),
    [("localhost", True), ("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("0.0.0.0", False), ("a.b", False)],
)
def test_loopback_is_told_from_the_rest(host: str, *, inside: bool) -> None:
    assert is_loopback(host) is inside
