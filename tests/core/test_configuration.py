"""What an environment may say, and what is said of an environment that cannot be."""

from __future__ import annotations

import pytest

from core.configuration import configured
from core.errors import StartRefused


def test_what_is_given_goes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRAINWIRE_SLOTS", "3")
    assert configured().slots == 3
    assert configured(slots=None).slots == 3
    assert configured(slots=2).slots == 2


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("TRAINWIRE_SLOTS", "many", "TRAINWIRE_SLOTS is 'many'"),
        ("TRAINWIRE_LEASE_S", "-1", "TRAINWIRE_LEASE_S is '-1'"),
        ("TRAINWIRE_LEASE_S", "2", "TRAINWIRE_LEASE_S is 2, less than twice TRAINWIRE_HEARTBEAT_S (3): "),
        ("TRAINWIRE_APIKEY", "sesame", "TRAINWIRE_APIKEY is not a setting of Trainwire; these are: TRAINWIRE_DATABASE"),
    ],
)
def test_a_variable_that_cannot_be_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(StartRefused) as refused:
        configured()
    assert refused.value.message.startswith(said)
    assert value not in refused.value.message or name != "TRAINWIRE_APIKEY", "a secret under a wrong name stays one"
