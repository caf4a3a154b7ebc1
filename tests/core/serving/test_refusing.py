"""What cannot be predicted is told with its place, everything at once, and what would be right."""

from __future__ import annotations

import json
from typing import Any

import pytest

from core.errors import NotFound, RowsRefused
from core.serving.asking import Bounds
from core.spec import parse_spec
from tests.core.loop.test_series import STEADY
from tests.core.serving.conftest import MakeTrained, Trained
from tests.core.serving.test_answering import PEOPLE
from tests.core.uploading import Shelf

ROW: dict[str, Any] = {"age": 30, "town": "Rome", "joined": "2024-03-01", "member": True}


@pytest.fixture
def people(trained: MakeTrained, shelf: Shelf) -> Trained:
    return trained(shelf.spec(shelf.put("people.csv", PEOPLE.encode()), {"target": "fare"}, epochs=1))


@pytest.fixture
def iris(trained: MakeTrained) -> Trained:
    return trained(parse_spec({"dataset": "iris", "model": "linear", "epochs": 1}))


def problems(job: Trained, body: bytes | dict[str, Any], kind: str = "application/json") -> dict[str, str]:
    with pytest.raises(RowsRefused) as refused:
        job.ask(body if isinstance(body, bytes) else json.dumps(body).encode(), kind)
    return {problem.pointer: problem.message for problem in refused.value.problems}


def test_all_cells_that_cannot_be_read_are_told_with_row_and_column(people: Trained) -> None:
    rows = [ROW, {**ROW, "age": "old", "member": 7}, {**ROW, "joined": "the 3rd", "town": ["Rome"]}]
    told = problems(people, {"rows": rows})
    assert set(told) == {"/rows/1/age", "/rows/1/member", "/rows/2/joined", "/rows/2/town"}
    assert told["/rows/1/age"] == '"old" is no number.'
    assert "ISO 8601" in told["/rows/2/joined"]


def test_a_column_that_no_row_has_is_told_with_the_nearest_name(people: Trained) -> None:
    told = problems(people, {"rows": [{"Age": 1, **{name: ROW[name] for name in ("town", "joined", "member")}}]})
    assert list(told) == ["/rows/0/age"]
    assert 'Did you mean "Age"?' in told["/rows/0/age"]


def test_no_more_than_a_hundred_are_told_and_all_are_counted(people: Trained) -> None:
    with pytest.raises(RowsRefused) as refused:
        people.say(rows=[{**ROW, "age": "old"}] * 250)
    assert (len(refused.value.problems), refused.value.count) == (100, 250)


@pytest.mark.parametrize(
    ("body", "pointer", "words"),
    [
        (b"[[", "", "not JSON"),
        (b"[" * 100_000, "", "nested"),
        (b"\xff\xfe", "", "not JSON"),
        ({"rows": []}, "/rows", "at least 1"),
        ({"row": [1]}, "/row", 'Did you mean "rows"'),
        ({}, "", "one of `rows`, `texts` and `text`"),
        ({"rows": [1], "texts": ["a"]}, "", "not rows and texts"),
        ({"rows": [ROW], "generate": 3}, "/generate", "language model"),
        ({"rows": [[1, 2]]}, "/rows/0", "columns by name"),
        ({"texts": ["a"]}, "", "rows of a table"),
    ],
)
def test_a_body_that_says_something_else_is_refused(people: Trained, body: Any, pointer: str, words: str) -> None:
    told = problems(people, body)
    assert words in told[pointer]


def test_a_table_is_refused_by_line(people: Trained) -> None:
    assert list(problems(people, b"age,town\n1,Rome\n1\n2,Oslo,x\n", "text/csv")) == ["/lines/3", "/lines/4"]
    assert "name of its own" in problems(people, b"age,age\n1,2\n", "text/csv")["/header"]
    assert "UTF-8" in problems(people, b"age\n\xff\n", "text/csv")[""]
    assert problems(people, b"age,town,joined,member\n", "text/csv") == {"/rows": "There are no rows."}


def test_samples_of_another_shape_are_refused_by_row(iris: Trained) -> None:
    named = {"sepal length (cm)": 1, "sepal width (cm)": "x", "petal width (cm)": 1}
    told = problems(iris, {"rows": [[1, 2, 3, 4], named]})
    assert list(told) == ["/rows/1/sepal width (cm)", "/rows/1/petal length (cm)"]
    told = problems(iris, {"rows": [[1, 2, 3], [1, 2, 3, 4], [1, [2], 3, 4], ["a", 1, 2, 3], 5, None]})
    assert list(told) == ["/rows/0", "/rows/2", "/rows/3", "/rows/4", "/rows/5"]
    assert "shape is [3]" in told["/rows/0"]
    assert list(problems(iris, {"rows": [[1, 2, 3, 4], [1e38, 2, 3, 1e38], [1e300, 1, 1, 1]]})) == ["/rows/2"]


def test_pictures_are_for_models_of_pictures_and_must_be_some(iris: Trained) -> None:
    assert "not pictures" in problems(iris, b"GIF89a", "image/gif")[""]
    assert "boundary" in problems(iris, b"x", "multipart/form-data")[""]


def test_a_series_needs_a_window_of_rows(trained: MakeTrained, shelf: Shelf) -> None:
    content = "t,y\n" + "".join(f"{day},{day % 7}\n" for day in range(40))
    settings = {"target": "y", "series": STEADY}
    job = trained(shelf.spec(shelf.put("s.csv", content.encode()), settings, epochs=1))
    assert "looks at 3 rows" in problems(job, {"rows": [{"y": 1}, {"y": 2}]})["/rows"]


def test_more_rows_than_are_answered_at_a_time_are_refused(iris: Trained) -> None:
    rows = {"rows": [[1, 2, 3, 4]] * 5_001}
    assert "up to 5,000" in problems(iris, rows)["/rows"]
    few = Bounds(rows=1, pixels=1, models=1, memory_bytes=1)
    with pytest.raises(RowsRefused, match="up to 1 "):
        iris.ask(json.dumps({"rows": [[1, 2, 3, 4]] * 2}).encode(), bounds=few)


@pytest.mark.parametrize("name", ["model.json", "model.safetensors"])
def test_weights_that_are_gone_or_others_never_answer(iris: Trained, name: str) -> None:
    path = iris.folder / name
    content = path.read_bytes()
    body = json.dumps({"rows": [[1, 2, 3, 4]]}).encode()
    path.unlink()
    with pytest.raises(NotFound, match="any more"):
        iris.ask(body)
    path.write_bytes(content[:-1] + b"!")
    with pytest.raises(NotFound, match="SHA-256"):
        iris.ask(body)
