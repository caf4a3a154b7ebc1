"""A patch from a file, from KEY=VALUE, and from both."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core.errors import BadRequest
from trainwire.reading import patch_of


@pytest.mark.parametrize(
    ("settings", "patch"),
    [
        (["lr=0.01"], {"lr": 0.01}),
        (["optimizer=adam"], {"optimizer": "adam"}),
        (["optimizer.name=adam", "optimizer.amsgrad=true"], {"optimizer": {"name": "adam", "amsgrad": True}}),
        (["early_stopping=null", "epochs=60"], {"early_stopping": None, "epochs": 60}),
        (['metrics=["f1"]', "labels.team=a=b"], {"metrics": ["f1"], "labels": {"team": "a=b"}}),
        (["name="], {"name": ""}),
        ([], None),
    ],
)
def test_a_value_is_json_where_it_is_json_and_else_text(settings: list[str], patch: Any) -> None:
    assert patch_of(None, settings) == patch


def test_what_is_set_goes_over_what_the_file_says(tmp_path: Path) -> None:
    file = tmp_path / "patch.json"
    file.write_text(json.dumps({"lr": 0.5, "optimizer": {"momentum": 0.9}}))
    assert patch_of(str(file), ["optimizer.nesterov=true", "lr=0.1"]) == {
        "lr": 0.1,
        "optimizer": {"momentum": 0.9, "nesterov": True},
    }


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (["lr"], "KEY=VALUE"),
        (["=1"], "KEY=VALUE"),
        (["model..dropout=1"], "KEY=VALUE"),
        (["optimizer=adam", "optimizer.eps=1"], "optimizer.name="),
    ],
)
def test_what_changes_nothing_is_refused_in_a_sentence(settings: list[str], words: str) -> None:
    with pytest.raises(BadRequest, match=words):
        patch_of(None, settings)


def test_a_file_that_holds_no_patch_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "patch.json"
    file.write_text("[1]")
    with pytest.raises(BadRequest, match="no patch"):
        patch_of(str(file), [])
