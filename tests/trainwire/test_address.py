"""Where a command looks for its service."""

from __future__ import annotations

from pathlib import Path

import pytest

from trainwire import address, folder


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRAINWIRE_URL", raising=False)
    monkeypatch.delenv("TRAINWIRE_API_KEY", raising=False)


def test_what_was_asked_for_wins_then_the_environment_then_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert address.service_url(data=tmp_path) == "http://127.0.0.1:8000"
    with folder.held(tmp_path), folder.announced(tmp_path, url="http://127.0.0.1:4711"):
        assert address.service_url(data=tmp_path) == "http://127.0.0.1:4711"
        monkeypatch.setenv("TRAINWIRE_URL", "http://there:1/")
        assert address.service_url(data=tmp_path) == "http://there:1"
        assert address.service_url("here:2", data=tmp_path) == "http://here:2"


def test_the_key_travels_as_a_bearer(monkeypatch: pytest.MonkeyPatch) -> None:
    assert address.key_header() == {}
    monkeypatch.setenv("TRAINWIRE_API_KEY", "from-env")
    assert address.key_header() == {"Authorization": "Bearer from-env"}
    assert address.key_header("given") == {"Authorization": "Bearer given"}


def test_proxies_are_for_other_machines_only() -> None:
    assert not address.transport("http://127.0.0.1:8000")["trust_env"]
    assert address.transport("https://gpu.example")["trust_env"]
