"""The device of a run."""

import pytest

from core.device import available, resolve
from core.errors import InvalidSpec

NODE = ("cuda:0", "cuda:1", "cpu")


@pytest.mark.parametrize(
    ("wanted", "device"),
    [("auto", "cuda:0"), ("cuda", "cuda:0"), ("cuda:1", "cuda:1"), ("cpu", "cpu")],
)
def test_a_wish_is_met_by_the_first_device_that_fits(wanted: str, device: str) -> None:
    assert resolve(wanted, devices=NODE) == device


def test_auto_is_the_cpu_where_there_is_nothing_else() -> None:
    assert resolve("auto", devices=("cpu",)) == "cpu"


@pytest.mark.parametrize("wanted", ["cuda", "cuda:7", "mps"])
def test_a_missing_device_is_refused_with_what_there_is(wanted: str) -> None:
    with pytest.raises(InvalidSpec, match="it has cpu") as refusal:
        resolve(wanted, devices=("cpu",))
    assert refusal.value.param == "/resources/device"


def test_every_machine_has_a_cpu() -> None:
    assert available()[-1] == "cpu"
