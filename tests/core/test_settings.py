"""Settings as an environment gives them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from core.settings import Settings

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"


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


def test_every_setting_is_on_the_page_for_users_with_its_default(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"TRAINWIRE_{name}".upper(), raising=False)
    rows = re.findall(r"^\| `TRAINWIRE_(\w+)` \|.*\| (.+) \|$", PAGE.read_text(), re.MULTILINE)
    told = {name.lower(): default.strip("`") for name, default in rows}
    assert set(told) == set(Settings.model_fields)
    for name, value in Settings().model_dump().items():
        if isinstance(value, int | float):
            assert float(told[name]) == value, name
        elif value:
            assert told[name] == (",".join(value) if isinstance(value, tuple) else str(value)), name
