"""Problems are told with a pointer, the value, what is allowed and the nearest names, whatever was sent."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.checks import MAX_PROBLEMS, Finding, explain, nearest, problems, refuse, shown


class Garden(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    trees: Annotated[int, Field(ge=0, le=9)]
    kind: str = "wild"


def _error(data: Any) -> ValidationError:
    with pytest.raises(ValidationError) as caught:
        Garden.model_validate(data)
    return caught.value


def test_a_pointer_escapes_what_rfc_6901_escapes() -> None:
    (problem,) = problems(refuse("spec", [Finding(("a/b", "c~d", 0), None, "Wrong.")]))
    assert problem.pointer == "/a~1b/c~0d/0"


def test_a_finding_keeps_its_sentence_whatever_braces_it_holds() -> None:
    sentence = '{"allowed"} {message} {} {0} is odd.'
    (problem,) = problems(refuse("spec", [Finding(("x",), None, sentence, ["y"])]))
    assert (problem.message, problem.allowed) == (sentence, ["y"])


def test_an_explanation_names_the_value_and_the_whole_range() -> None:
    (finding,) = explain(_error({"trees": 10}), Garden, noun="a garden")
    assert finding.path == ("trees",)
    assert finding.message == "10 is not allowed here: input should be less than or equal to 9."
    assert finding.allowed == {"type": "integer", "minimum": 0, "maximum": 9}


def test_what_is_missing_or_unknown_is_told_by_name() -> None:
    missing, unknown = explain(_error({"tree": 1}), Garden, noun="a garden")
    assert missing.message == '"trees" is required.'
    assert unknown.message == '"tree" is not a setting of a garden. Did you mean "trees"?'
    assert unknown.allowed == ["kind", "trees"]


def test_more_problems_than_anyone_reads_are_counted() -> None:
    error = _error({"trees": 1} | {f"weed{number}": 1 for number in range(MAX_PROBLEMS + 20)})
    found = explain(error, Garden, noun="a garden")
    assert len(found) == MAX_PROBLEMS + 1
    assert found[-1].message == "There are 20 more problems."


def test_plain_pydantic_errors_are_told_too() -> None:
    (problem,) = problems(_error({"trees": -1}).errors())
    assert problem.pointer == "/trees"
    assert problem.message.startswith("-1: ")


def _deep() -> list[Any]:
    nested: list[Any] = []
    for _ in range(100_000):
        nested = [nested]
    return nested


ODD = {
    "more digits than str() allows": 10**5000,
    "a megabyte": "x" * 10**6,
    "half a surrogate pair": "\ud800",
    "no JSON": {1, 2},
    "no number": float("nan"),
    "deeper than the stack": _deep(),
}


@pytest.mark.parametrize("value", ODD.values(), ids=ODD.keys())
def test_any_value_can_be_shown_short_and_in_utf_8(value: Any) -> None:
    assert 0 < len(shown(value)) <= 80
    shown(value).encode()


def test_words_are_shown_as_they_were_written() -> None:
    assert shown("größe") == '"größe"'


def test_the_nearest_name_of_a_megabyte_is_found_at_once() -> None:
    assert nearest("mpl", ["linear", "mlp", "cnn"]) == ' Did you mean "mlp"?'
    assert not nearest("x" * 10**6, ["linear", "mlp"] * 100)
