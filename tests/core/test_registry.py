"""Parts are decorated functions: what becomes of their names, arguments and docstrings."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import pytest
from pydantic import Field, ValidationError

from core import registry
from core.checks import Finding, problems
from core.registry import PartSettings, Registry

if TYPE_CHECKING:
    from nowhere import Tensor  # type: ignore[import-not-found]

Cups = Annotated[int, Field(ge=1, le=12)]


def _no_more_milk_than_tea(*, cups: int, milk: int) -> Iterator[Finding]:
    if milk > cups:
        yield Finding(("milk",), milk, f"{milk} is more milk than tea.", {"maximum": cups})


@pytest.fixture
def drinks() -> Registry:
    drinks = Registry("drink", needs=["hot"])

    @drinks.register(hot=True, check=_no_more_milk_than_tea)
    def tea(water: Tensor, heat: float = 95.0, *, cups: Cups = 2, milk: Cups = 1) -> str:
        """Leaves in hot water.

        More to be said, but not in the catalogue.
        """
        return f"{cups} cups of tea from {water} at {heat}, {milk} of milk"

    @drinks.register(hot=False)
    def lemonade(water: Tensor, *, lemons: int) -> str:
        """Lemons in cold water."""
        return f"{lemons} lemons in {water}"

    return drinks


def _refused(drinks: Registry, value: Any) -> list[tuple[str, str, Any]]:
    with pytest.raises(ValidationError) as caught:
        drinks.choose(value)
    return [(one.pointer, one.message, one.allowed) for one in problems(caught.value)]


def test_a_function_becomes_a_part_with_its_name_line_and_facts(drinks: Registry) -> None:
    part = drinks.get("tea")
    assert (part.kind, part.name, part.summary) == ("drink", "tea", "Leaves in hot water.")
    assert part.facts["hot"] is True
    assert part.facts["heat"] == 95.0, "the default of what the run hands over is a fact"


def test_parts_keep_the_order_in_which_they_were_registered(drinks: Registry) -> None:
    assert drinks.names() == ["tea", "lemonade"]


def test_keyword_only_arguments_are_the_settings_and_positional_ones_come_from_the_run(drinks: Registry) -> None:
    chosen = drinks.choose({"name": "tea", "cups": 3})
    assert chosen.settings() == {"cups": 3, "milk": 1}
    assert drinks.build(chosen, "rain", 80.0) == "3 cups of tea from rain at 80.0, 1 of milk"


def test_a_string_is_shorthand_for_a_part_with_its_defaults(drinks: Registry) -> None:
    assert drinks.choose("tea") == drinks.choose({"name": "tea"}) == drinks.choose(drinks.choose("tea"))


def test_a_setting_without_a_default_is_required(drinks: Registry) -> None:
    assert [pointer for pointer, *_ in _refused(drinks, "lemonade")] == ["/lemons"]


def test_settings_are_frozen(drinks: Registry) -> None:
    chosen = drinks.choose("tea")
    with pytest.raises(ValidationError, match="frozen"):
        setattr(chosen, "name", "coffee")  # noqa: B010  (mypy would not let it happen)


def test_an_unknown_name_is_told_with_its_nearest_and_all_known_ones(drinks: Registry) -> None:
    ((pointer, message, allowed),) = _refused(drinks, {"name": "lemonad"})
    assert pointer == "/name"
    assert message == '"lemonad" is not a known drink. Did you mean "lemonade"?'
    assert allowed == ["tea", "lemonade"]


def test_an_unknown_setting_is_told_with_its_nearest_one(drinks: Registry) -> None:
    ((pointer, message, allowed),) = _refused(drinks, {"name": "tea", "cup": 1})
    assert pointer == "/cup"
    assert message == '"cup" is not a setting of the drink tea. Did you mean "cups"?'
    assert allowed == ["cups", "milk", "name"]


@pytest.mark.parametrize("value", [True, 1.0, "2", None, float("nan"), [1], 0, 13])
def test_a_setting_takes_only_what_its_type_says(drinks: Registry, value: Any) -> None:
    ((pointer, message, allowed),) = _refused(drinks, {"name": "tea", "cups": value})
    assert pointer == "/cups"
    assert "is not allowed here" in message
    assert allowed == {"type": "integer", "minimum": 1, "maximum": 12}


@pytest.mark.parametrize("value", [None, 5, ["tea"], {}, {"name": None}, {"name": ["tea"]}, {"name": 1}])
def test_what_is_no_choice_is_refused(drinks: Registry, value: Any) -> None:
    assert len(_refused(drinks, value)) == 1


def test_settings_of_another_registry_are_refused(drinks: Registry) -> None:
    class Tea(PartSettings):
        pass

    assert _refused(drinks, Tea(name="tea"))


def test_a_check_tells_what_does_not_go_together(drinks: Registry) -> None:
    found = _refused(drinks, {"name": "tea", "cups": 1, "milk": 3})
    assert found == [("/milk", "3 is more milk than tea.", {"maximum": 1})]


def test_a_name_is_registered_once(drinks: Registry) -> None:
    def tea() -> str:
        """Another tea."""
        return "tea"

    with pytest.raises(ValueError, match="already a drink named 'tea'"):
        drinks.register(hot=True)(tea)


def test_a_part_without_the_facts_of_its_kind_is_refused(drinks: Registry) -> None:
    def coffee() -> str:
        """Beans in hot water."""
        return "coffee"

    with pytest.raises(TypeError, match="must be registered with hot"):
        drinks.register(coffee)


def test_a_part_without_a_docstring_is_refused() -> None:
    def coffee() -> str:
        return "coffee"

    with pytest.raises(TypeError, match="docstring"):
        Registry("drink").register(coffee)


def test_a_plugin_that_fails_is_left_out_and_said(caplog: pytest.LogCaptureFixture) -> None:
    def load() -> None:
        raise ImportError("no such module")

    registry._load("broken-plugin", load)
    assert "'broken-plugin' could not be loaded" in caplog.text


PLUGIN = """
from core.registry import datasets, losses
from core.data import Arrays, DataShape

@datasets.register(shape=DataShape(samples=4, features=(1,)))
def tiny(*, seed: int = 0) -> Arrays:
    '''Four points.'''
"""

USE = """
from core.spec import parse_spec
from core.catalog import catalog
assert parse_spec({"dataset": "tiny", "model": "linear", "batch_size": 2}).data_shape.samples == 4
assert "tiny" in [entry["name"] for entry in catalog()["datasets"]]
"""


def test_an_installed_package_adds_parts_through_its_entry_point(tmp_path: Any) -> None:
    (tmp_path / "tiny_plugin.py").write_text(PLUGIN)
    installed = tmp_path / "tiny_plugin-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: tiny-plugin\nVersion: 1.0\n")
    (installed / "entry_points.txt").write_text("[trainwire.parts]\ntiny = tiny_plugin\n")
    code = f"import sys; sys.path.append({str(tmp_path)!r}){USE}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
