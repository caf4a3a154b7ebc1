"""Settings as an environment gives them."""

from __future__ import annotations

import pytest

from core.settings import Settings


@pytest.mark.parametrize(
    ("text", "words"), [("gpu", ("gpu",)), ("a.example, b.example", ("a.example", "b.example")), ("", ())]
)
def test_names_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch, text: str, words: tuple[str, ...]) -> None:
    monkeypatch.setenv("TRAINWIRE_ALLOWED_HOSTS", text)
    assert Settings().allowed_hosts == words


def test_without_an_environment_there_are_the_embedded_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRAINWIRE_QUEUES", raising=False)
    assert Settings().queues == ("cpu", "gpu")


def test_an_empty_key_is_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRAINWIRE_API_KEY", "")
    assert Settings().api_key is None
