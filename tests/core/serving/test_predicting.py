"""Whole uploads, predicted as a job does: the very numbers of single requests, cut into pieces, interrupted or not."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.errors import InvalidData, SpecRefused
from core.events import Finished, RunEvent, Started, Stopped
from core.files import artifact
from core.job import Artifact, Problem, Progress
from core.serving import predicting
from core.serving.predicting import predict
from core.serving.served import load
from core.shelf import Folders
from core.spec import JobSpec, parse_spec, worked_out
from core.spec.predicting import PredictAsk, PredictSpec, predict_spec
from core.starting import CARD, WEIGHTS
from tests.core.intake.zipping import zipped
from tests.core.loop.test_series import STEADY
from tests.core.loop.test_series import csv as series
from tests.core.loop.test_text import DOCUMENTATION, TINY, reviews
from tests.core.serving.conftest import MakeTrained, Trained
from tests.core.serving.test_answering import PEOPLE, drawn, form
from tests.core.uploading import Shelf

JOB = "job_1"


class Whole:
    """A trained job, asked about whole files."""

    def __init__(self, job: Trained, shelf: Shelf, home: Path) -> None:
        self.job, self.shelf, self.folder = job, shelf, home / "run"
        self.folders = Folders(shelf.folder, None, home)
        (home / JOB).mkdir(parents=True)
        (home / JOB / "1").symlink_to(job.folder)

    def spec(self, upload: str, **asked: Any) -> PredictSpec:
        card, weights = (_left(self.job.folder / name) for name in (CARD, WEIGHTS))
        return predict_spec(
            PredictAsk(dataset=upload, **asked),
            job_id=JOB,
            trained=self.job.spec.model_dump(mode="json"),
            left={"card": card, "weights": weights},
            data=self.shelf.datasets[upload],
        )

    def run(self, upload: str, **asked: Any) -> list[RunEvent]:
        return list(predict(self.spec(upload, **asked), folder=self.folder, datasets=self.folders))

    def say(self, upload: str) -> list[dict[str, Any]]:
        """What the job says of each row."""
        self.run(upload, format="jsonl")
        found = [json.loads(line) for line in (self.folder / "predictions.jsonl").read_text().splitlines()]
        assert [one.pop("row") for one in found] == list(range(len(found)))
        return found

    def refuses(self, upload: str, **asked: Any) -> list[Problem]:
        with pytest.raises(SpecRefused) as refused:
            self.spec(upload, **asked)
        return list(refused.value.problems)


def _left(path: Path) -> Artifact:
    return replace(artifact(path, media_type="application/octet-stream"), path=f"{JOB}/1/{path.name}")


MakeWhole = Callable[[JobSpec], Whole]


@pytest.fixture
def whole(trained: MakeTrained, shelf: Shelf, tmp_path: Path) -> MakeWhole:
    return lambda spec: Whole(trained(spec), shelf, tmp_path / "home")


@pytest.fixture
def people(whole: MakeWhole, shelf: Shelf) -> Whole:
    spec = shelf.spec(shelf.put("people.csv", PEOPLE.encode()), {"target": "fare"}, model="mlp", epochs=2)
    return whole(spec)


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.parametrize("piece", [8_192, 7])
def test_a_table_gets_the_numbers_of_single_requests_in_pieces_of_any_size(
    people: Whole, shelf: Shelf, piece: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(predicting, "PIECE", piece)
    monkeypatch.setattr(worked_out, "_ROWS", min(piece, 7))
    rows = rows_of(PEOPLE)
    without_target = "note,member,town,joined,age\n" + "".join(
        f"x,{row['member']},{row['town']},{row['joined']},{row['age']}\n" for row in rows
    )
    assert people.say(shelf.put("more.csv", without_target.encode())) == people.job.say(rows=rows)


def test_it_is_told_how_far_it_is_and_what_it_leaves(people: Whole, shelf: Shelf) -> None:
    first, *between, last = people.run(shelf.put("people.csv", PEOPLE.encode()))
    assert isinstance(first, Started)
    assert (first.predict_samples, first.device, first.steps_per_epoch) == (120, "cpu", 1)
    assert [(one.step, one.steps, one.eta_s) for one in between if isinstance(one, Progress)] == [(1, 1, 0.0)]
    assert isinstance(last, Finished)
    (file,) = last.artifacts
    assert (file.name, file.media_type) == ("predictions.csv", "text/csv")
    told = rows_of((people.folder / "predictions.csv").read_text())
    assert [row["row"] for row in told] == list(map(str, range(120)))
    assert [float(row["value"]) for row in told] == [one["value"] for one in people.job.say(rows=rows_of(PEOPLE))]


def test_a_run_that_is_stopped_leaves_no_half_of_a_file_and_the_next_makes_the_same(
    people: Whole, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload, file = shelf.put("people.csv", PEOPLE.encode()), people.folder / "predictions.csv"
    people.run(upload)
    uninterrupted = file.read_bytes()
    file.unlink()
    monkeypatch.setattr(predicting, "PIECE", 1)
    monkeypatch.setattr(worked_out, "_ROWS", 50)
    asked = iter([False, True])
    events = list(predict(people.spec(upload), folder=people.folder, datasets=people.folders, stop=lambda: next(asked)))
    assert [(one.step, one.steps) for one in events if isinstance(one, Progress)] == [(1, 3)]
    assert isinstance(events[-1], Stopped)
    assert list(people.folder.iterdir()) == []
    people.run(upload)
    assert file.read_bytes() == uninterrupted


def test_a_text_of_a_column_is_read_as_in_training(whole: MakeWhole, shelf: Shelf) -> None:
    job = whole(reviews(shelf, epochs=1))
    lines = [{"text": "  the film was lovely"}, {"text": ""}, {"text": "the meal in room 3 was dire at 3:00"}]
    upload = shelf.put("more.jsonl", "\n".join(map(json.dumps, lines)).encode())
    assert job.say(upload) == job.job.say(rows=lines)


def test_a_series_is_forecast_behind_each_window_where_its_rows_ascend(
    whole: MakeWhole, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worked_out, "_ROWS", 7)
    monkeypatch.setattr(predicting, "PIECE", 7)
    days = np.arange(60)
    content = series(("t", days), ("y", days * 10))
    upload = shelf.put("s.csv", content)
    job = whole(shelf.spec(upload, {"target": "y", "series": STEADY}, epochs=1))
    told = job.say(upload)
    assert told == job.job.say(rows=[{"y": int(10 * day)} for day in days])
    assert (told[-1]["behind_row"], len(told)) == (60, 58)
    with pytest.raises(InvalidData, match=r"row 3 \(from 0\) does not come behind row 2"):
        job.run(shelf.put("mixed.csv", series(("t", [0, 1, 3, 2, 4]), ("y", [1, 2, 3, 4, 5]))))
    with pytest.raises(InvalidData, match="the upload has 2"):
        job.run(shelf.put("short.csv", series(("y", [1.5, 2.5]))))


def test_arrays_are_predicted_as_they_are_sent_and_bundled_data_by_its_names_too(
    whole: MakeWhole, shelf: Shelf
) -> None:
    iris = whole(parse_spec({"dataset": "iris", "model": "linear", "epochs": 1}))
    x = np.random.default_rng(0).normal(4, 1, (30, 4)).astype(np.float32)
    file = io.BytesIO()
    np.save(file, x)
    told = iris.say(shelf.put("x.npy", file.getvalue()))
    assert told == iris.job.say(rows=x.tolist())
    names = load(iris.job.folder, card=iris.job.digests[0], weights=iris.job.digests[1]).names
    table = series(*zip(names, x.T.astype(np.float64), strict=True))
    assert iris.say(shelf.put("x.csv", table)) == told
    with pytest.raises(InvalidData, match=r"Row 1 \(from 0\) has a feature"):
        iris.run(
            shelf.put(
                "gap.csv", series(*((name, [1.5, cell]) for name, cell in zip(names, ("", 2.5, 2.5, 2.5), strict=True)))
            )
        )


def test_pictures_are_predicted_in_the_order_of_their_names(whole: MakeWhole, shelf: Shelf, tmp_path: Path) -> None:
    files = {f"{('dark', 'light')[at % 2]}/{at:02}.png": drawn(at) for at in range(20)}
    upload = shelf.put("p.zip", zipped(tmp_path / "p.zip", files).read_bytes())
    job = whole(shelf.spec(upload, {"size": [8, 8]}, model={"name": "cnn", "channels": [2], "hidden": [4]}, epochs=1))
    single = job.job.ask(*form({name: files[name] for name in sorted(files)}))["data"]
    assert job.say(upload) == single
    loose = zipped(tmp_path / "loose.zip", {f"{at:02}.png": drawn(at) for at in (7, 3)})
    wanted = job.job.ask(*form({name: drawn(at) for name, at in (("a", 3), ("b", 7))}))["data"]
    assert job.say(shelf.put("loose.zip", loose.read_bytes())) == wanted


def test_what_does_not_fit_is_told_at_once_by_its_name(people: Whole, shelf: Shelf) -> None:
    lacking = shelf.put("a.csv", b"age,twn,joined,member\n1,Rome,2024-01-01,true\nold,Oslo,2024-01-02,false\n")
    problems = people.refuses(lacking, resources={"devices": 2})
    assert [one.pointer for one in problems] == ["/resources/devices", "/dataset", "/dataset"]
    told = " ".join(one.message for one in problems)
    assert "One process predicts, not 2" in told
    assert 'The column "age" was number in training, and here it is category' in told
    assert 'no column "town", which the model was trained on. Did you mean "twn"?' in told
    file = io.BytesIO()
    np.save(file, np.zeros((3, 2)))
    (problem,) = people.refuses(shelf.put("x.npy", file.getvalue()))
    assert problem.message == "This upload is arrays; the model takes a table."


def test_models_of_other_things_than_rows_say_where_to_ask(whole: MakeWhole, shelf: Shelf) -> None:
    upload = shelf.put("a.txt", DOCUMENTATION[:5_000].decode("ascii", "ignore").encode())
    fields: dict[str, Any] = {"preprocess": {"text": "bytes", "block_size": 32}, "epochs": 1}
    (problem,) = whole(shelf.spec(upload, {}, model=TINY, **fields)).refuses(upload)
    assert problem.message.endswith("it takes a text, by POST /v1/jobs/job_1/predict.")


def test_files_that_are_gone_or_others_end_the_run_with_what_to_do(people: Whole, shelf: Shelf) -> None:
    upload = shelf.put("people.csv", PEOPLE.encode())
    spec = people.spec(upload)
    (shelf.folder / shelf.datasets[upload].sha256).write_bytes(b"age\n1\n")
    with pytest.raises(InvalidData, match=r"its SHA-256 differs.") as wrong:
        list(predict(spec, folder=people.folder, datasets=people.folders))
    assert (wrong.value.param, "Upload it again" in str(wrong.value.hint)) == ("/predict/dataset", True)
    (people.job.folder / WEIGHTS).unlink()
    with pytest.raises(InvalidData, match="not in the artifacts folder any more") as gone:
        list(predict(spec, folder=people.folder, datasets=people.folders))
    assert gone.value.param == "/predict/job"


def test_a_row_without_a_finite_answer_is_named(people: Whole, shelf: Shelf) -> None:
    far = shelf.put("far.csv", b"age,town,joined,member\n1.5,Rome,2024-01-01,true\n1e300,Oslo,2024-01-02,false\n")
    with pytest.raises(InvalidData, match=r"Row 1 \(from 0\): The model gives no finite numbers"):
        people.run(far)
