"""Starting weights in a spec: looked up, compared by arithmetic, and written down so that they never change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from core.errors import Gone, NotFound, SpecRefused
from core.job import Artifact, Status
from core.spec import JobSpec, files_of, names_a_file, parse_spec
from core.spec.patching import patched
from core.starting import WEIGHTS, Left
from tests.core.starting import JOB, Beginnings

DIGITS: dict[str, Any] = {"dataset": "digits", "model": {"name": "mlp", "hidden": [16]}}
PARAMETERS = 64 * 16 + 16 + 16 * 10 + 10
FILE = Artifact(WEIGHTS, "job_a/3/model.safetensors", "x/y", 4_900, "c" * 64)
LEFT = {
    "job_a": Left(Status.SUCCEEDED, FILE, PARAMETERS),
    "job_other": Left(Status.SUCCEEDED, FILE, PARAMETERS + 1),
    "job_bare": Left(Status.SUCCEEDED),
    "job_failed": Left(Status.FAILED),
    "job_cancelled": Left(Status.CANCELLED),
    "job_running": Left(Status.RUNNING),
}


def find_left(job_id: str) -> Left:
    if job_id == "job_gone":
        raise Gone(f"Job {job_id} was deleted.")
    if job_id not in LEFT:
        raise NotFound(f"There is no job {job_id!r}.")
    return LEFT[job_id]


def spec(init: Any, **fields: Any) -> JobSpec:
    return parse_spec({**DIGITS, "init_from": init, **fields}, lambda _: None, None, find_left)


def refused(init: Any, **fields: Any) -> dict[str, str]:
    with pytest.raises(SpecRefused) as caught:
        spec(init, **fields)
    return {problem.pointer: problem.message for problem in caught.value.problems}


def test_what_a_job_left_is_written_down_and_means_the_same_without_the_job() -> None:
    chosen = spec({"job": "job_a"})
    assert chosen.model_dump(mode="json")["init_from"] == {
        "job": "job_a",
        "upload": None,
        "file": None,
        "strict": True,
        "facts": {"sha256": "c" * 64, "bytes": 4_900, "parameters": PARAMETERS, "path": "job_a/3/model.safetensors"},
    }
    assert parse_spec(chosen.model_dump(mode="json")) == chosen


def test_the_facts_of_a_client_are_not_read() -> None:
    lie = {"sha256": "d" * 64, "bytes": 1, "parameters": 1, "path": "job_x/1/secret"}
    for told in (lie, 5, {"no": "facts"}):
        assert spec({"job": "job_a", "facts": told}) == spec({"job": "job_a"})
    for path in ("../../etc/passwd", "/etc/passwd", "job_x/1/../../x"):
        with pytest.raises(SpecRefused, match="/init_from/facts/path"):
            parse_spec({**DIGITS, "init_from": {"job": "job_a", "facts": {**lie, "path": path}}})


def test_weights_are_unknown_where_nobody_can_look_them_up() -> None:
    with pytest.raises(SpecRefused, match="/init_from/job: It is known only to the service"):
        parse_spec({**DIGITS, "init_from": {"job": "job_a"}})


WRONG: list[tuple[Any, str, str]] = [
    ({}, "/init_from", "Name one of job, upload, file"),
    ({"job": "job_a", "upload": "ds_1"}, "/init_from", "there are job and upload"),
    ("job_a", "/init_from", "give an object"),
    ({"jobs": "job_a"}, "/init_from/jobs", 'Did you mean "job"'),
    ({"job": "job_a", "strict": 1}, "/init_from/strict", "valid boolean"),
    ({"job": "x" * 65}, "/init_from/job", "not allowed here"),
    ({"job": "job_x"}, "/init_from/job", "There is no job 'job_x'. Name a job that has succeeded"),
    ({"job": "job_gone"}, "/init_from/job", "was deleted. Name a job that has succeeded"),
    ({"job": "job_failed"}, "/init_from/job", "has failed, and only one that has succeeded leaves weights"),
    ({"job": "job_cancelled"}, "/init_from/job", "is cancelled, and only one"),
    ({"job": "job_running"}, "/init_from/job", "is running, and only one that has succeeded leaves weights. Submit"),
    ({"job": "job_bare"}, "/init_from/job", "has left no weights"),
    ({"upload": "ds_x"}, "/init_from/upload", "There is no dataset"),
    ({"file": "a.safetensors"}, "/init_from/file", "TRAINWIRE_FILES"),
    ({"job": "job_other"}, "/init_from/job", f"hold 1,211 numbers, and this model has {PARAMETERS:,} parameters"),
]


@pytest.mark.parametrize(("init", "pointer", "words"), WRONG)
def test_what_cannot_be_started_from_is_refused_beside_all_else(init: Any, pointer: str, words: str) -> None:
    told = refused(init)
    assert words in told[pointer]
    assert len(told) == 1
    assert refused(init, epochs=0).keys() >= {pointer, "/epochs"}


def test_without_strict_another_size_is_no_matter() -> None:
    assert spec({"job": "job_other", "strict": False}).init_from is not None


@pytest.fixture
def beginnings(tmp_path: Path) -> Beginnings:
    (tmp_path / "artifacts").mkdir()
    return Beginnings(tmp_path / "artifacts")


def test_an_upload_and_a_file_of_weights_are_started_from(beginnings: Beginnings, tmp_path: Path) -> None:
    assert beginnings.folders.files is not None
    for folder in (tmp_path, beginnings.folders.files):
        save_file({"a": torch.zeros(PARAMETERS), "count": torch.tensor(3)}, folder / "mine.safetensors")
    for init in ({"upload": beginnings.upload(tmp_path / "mine.safetensors")}, {"file": "mine.safetensors"}):
        found = beginnings.spec(init, **DIGITS).init_from
        assert found is not None
        assert found.facts is not None
        assert (found.facts.parameters, found.facts.path) == (PARAMETERS + 1, None)
        with pytest.raises(SpecRefused, match="1,211 numbers, and this model has 9,610 parameters"):
            beginnings.spec(init, dataset="digits", model="mlp")


def test_data_are_no_weights_and_weights_no_data(beginnings: Beginnings, tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text("x,y\n1,a\n2,b\n" * 9)
    save_file({"a": torch.zeros(3)}, tmp_path / "mine.safetensors")
    table, weights = beginnings.upload(tmp_path / "table.csv"), beginnings.upload(tmp_path / "mine.safetensors")
    with pytest.raises(SpecRefused, match=r"/init_from/upload: .*holds data \(csv\), not weights"):
        beginnings.spec({"upload": table}, **DIGITS)
    with pytest.raises(SpecRefused, match=r"/dataset/id: It holds the weights of a model.*init_from"):
        beginnings.spec(None, dataset={"name": "upload", "id": weights, "target": "y"}, model="mlp")
    held = {"name": "upload", "id": table, "target": "y", "validation": weights}
    with pytest.raises(SpecRefused, match="/dataset/validation: This file holds weights"):
        beginnings.spec(None, dataset=held, model="mlp")


def test_a_fork_starts_from_what_its_parent_did_and_from_nothing_else() -> None:
    stored = spec({"job": "job_a"}, epochs=5).model_dump(mode="json")
    assert patched(stored, {"lr": 0.5}, epoch=2).init_from == spec({"job": "job_a"}).init_from
    assert patched(stored, {"init_from": {"job": "job_a"}}, epoch=2).init_from is not None
    for patch in (
        {"init_from": None},
        {"init_from": {"strict": False}},
        {"init_from": {"facts": {"sha256": "d" * 64}}},
    ):
        with pytest.raises(SpecRefused, match=r"/patch/init_from: .*would change the weights"):
            patched(stored, patch, epoch=2)
    with pytest.raises(SpecRefused, match="/patch/init_from"):
        patched(spec(None, epochs=5).model_dump(mode="json"), {"init_from": {"job": JOB}}, epoch=2)


def test_specs_that_must_be_looked_up_are_known_by_their_looks() -> None:
    assert not names_a_file(DIGITS)
    assert not names_a_file({**DIGITS, "init_from": None})
    for init in ({"job": "job_a"}, {"upload": "ds_1"}, 5):
        assert names_a_file({**DIGITS, "init_from": init})
    assert files_of({**DIGITS, "init_from": {"file": "a.safetensors"}}) == ("a.safetensors",)
    assert files_of({"dataset": {"name": "file", "path": "x.csv"}, "init_from": {"file": 5}}) == ("x.csv",)
