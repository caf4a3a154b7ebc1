"""`trainwire predict` and `Client.predict`: files and rows to a trained model, its answers as a table, JSON or CSV."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import polars as pl
import pytest

from core.errors import BadRequest, RowsRefused, WrongStatus
from tests.acceptance.processes import Up, trainwire
from tests.trainwire.specs import LONG
from trainwire import batches
from trainwire.client import Client

HEADER = "sepal length (cm),sepal width (cm),petal length (cm),petal width (cm)"
ROWS = [[5.1, 3.5, 1.4, 0.2], [6.7, 3.1, 5.6, 2.4]]
TABLE = "\n".join([HEADER, *(",".join(map(str, row)) for row in ROWS), ""])


@pytest.fixture(scope="module")
def job(service: Up) -> str:
    with Client(service.url) as client:
        spec = {"dataset": "iris", "model": "linear", "lr": 0.1, "epochs": 30}
        return client.wait(client.submit(spec).id, timeout_s=60).id


def test_rows_and_files_get_the_same_answer(client: Client, job: str, tmp_path: Path) -> None:
    found = client.predict(job, rows=ROWS)
    assert [one["class"] for one in found.data] == ["setosa", "virginica"]
    for name, content in (("rows.csv", TABLE), ("rows.json", json.dumps(ROWS)), ("rows.tsv", TABLE.replace(",", "\t"))):
        (tmp_path / name).write_text(content)
        assert client.predict(job, file=tmp_path / name) == found
    with pytest.raises(BadRequest, match="ends in one of csv"):
        client.predict(job, file=Path(__file__))
    with pytest.raises(RowsRefused) as refused:
        client.predict(job, rows=[[1, 2], ["x"]])
    assert [problem.pointer for problem in refused.value.problems] == ["/rows/0", "/rows/1"]


def test_a_job_at_work_has_no_weights_yet(client: Client) -> None:
    running = client.submit(LONG)
    with pytest.raises(WrongStatus, match="no weights yet"):
        client.predict(running.id, rows=ROWS)
    client.cancel(running.id)


def test_the_command_prints_a_table_json_or_writes_a_csv(service: Up, job: str, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text(TABLE)
    where = ("--url", service.url)
    shown = trainwire("predict", job, str(tmp_path / "rows.csv"), *where)
    assert (shown.returncode, shown.stderr) == (0, "")
    lines = shown.stdout.splitlines()
    assert lines[0].split()[:2] == ["row", "class"]
    assert [line.split()[1] for line in lines[1:3]] == ["setosa", "virginica"]
    assert lines[3] == f"by the weights of epoch 30 of {job}"
    told = json.loads(trainwire("predict", job, "-", "--json", *where, given=json.dumps(ROWS)).stdout)
    assert [one["class"] for one in told["data"]] == ["setosa", "virginica"]
    out = tmp_path / "out.csv"
    assert trainwire("predict", job, "-", "--to", str(out), *where, given=TABLE).returncode == 0
    with out.open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["row"], row["class"]) for row in rows] == [("0", "setosa"), ("1", "virginica")]
    assert float(rows[0]["probability setosa"]) == told["data"][0]["probabilities"]["setosa"]


def test_a_file_of_any_size_is_sent_in_pieces(
    client: Client, service: Up, job: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = client.predict(job, rows=ROWS * 40).data
    (tmp_path / "rows.csv").write_text("\n".join([HEADER, *[",".join(map(str, row)) for row in ROWS * 40], ""]))
    table = pl.read_csv(tmp_path / "rows.csv")
    table.write_parquet(tmp_path / "rows.parquet")
    table.write_ndjson(tmp_path / "rows.jsonl")
    monkeypatch.setattr(batches.pieces, "__kwdefaults__", {"rows": 7})
    for name in ("rows.csv", "rows.parquet", "rows.jsonl"):
        found = list(client.predict_all(job, tmp_path / name))
        assert [one["class"] for one in found] == [one["class"] for one in wanted]
        assert found[3]["probabilities"] == pytest.approx(wanted[3]["probabilities"], abs=1e-6)
    (tmp_path / "wrong.csv").write_text("\n".join([HEADER, *["1,2,3,4"] * 9, "1,2,x,4"]))
    with pytest.raises(RowsRefused) as refused:
        list(client.predict_all(job, tmp_path / "wrong.csv"))
    assert [problem.pointer for problem in refused.value.problems] == ["/rows/9/petal length (cm)"]
    out = tmp_path / "out.csv"
    done = trainwire("predict", job, str(tmp_path / "rows.parquet"), "--to", str(out), "--url", service.url)
    assert (done.returncode, done.stdout) == (0, f"80 predictions in {out}\n"), done.stderr
    assert out.read_text().count("\n") == 81
    assert (
        trainwire("predict", job, str(tmp_path / "wrong.csv"), "--to", str(out), "--url", service.url).returncode == 2
    )
    assert out.read_text().count("\n") == 81, "what was there stays when the rest is refused"
    assert {path.name for path in tmp_path.iterdir()} >= {"out.csv"}
    assert not (tmp_path / ".out.csv.part").exists()


def test_a_file_is_uploaded_and_predicted_in_a_job_that_is_watched_to_its_end(
    client: Client, service: Up, job: str, tmp_path: Path
) -> None:
    (tmp_path / "rows.csv").write_text(TABLE)
    done = trainwire("predict", job, str(tmp_path / "rows.csv"), "--job", "--watch", "--url", service.url)
    assert (done.returncode, done.stderr) == (0, "")
    first, *_, last = done.stdout.splitlines()
    made = first.split()[0]
    assert first == f"{made} queued: predict iris-linear"
    assert "predicting on cpu: 2 rows" in done.stdout
    assert last == "succeeded: completed"
    assert trainwire("download", made, "--to", str(tmp_path / "out"), "--url", service.url).returncode == 0
    with (tmp_path / "out" / "predictions.csv").open() as file:
        rows = list(csv.DictReader(file))
    wanted = client.predict(job, rows=ROWS).data
    assert [row["class"] for row in rows] == [one["class"] for one in wanted]
    assert float(rows[1]["probability setosa"]) == wanted[1]["probabilities"]["setosa"]
    shown = trainwire("show", made, "--url", service.url).stdout
    dataset = client.job(made).spec["predict"]["dataset"]
    assert f"2 rows of {dataset} by the weights of {job}" in shown
    queued = json.loads(trainwire("predict", job, dataset, "--json", "--url", service.url).stdout)
    assert client.wait(queued["id"], timeout_s=60).status == "succeeded"
    wrong = trainwire("predict", job, dataset, "--to", "x.csv", "--url", service.url)
    assert (wrong.returncode, "trainwire download" in wrong.stderr) == (2, True)


def test_what_is_wrong_is_listed(service: Up, job: str) -> None:
    done = trainwire("predict", job, "-", "--url", service.url, given='{"rows": [[1, 2, 3, "x"]]}')
    assert done.returncode == 2
    assert done.stderr.startswith("Nothing was predicted: 1 problem.\n  /rows/0  ")
    assert trainwire("predict", job, "--url", service.url).returncode == 2
