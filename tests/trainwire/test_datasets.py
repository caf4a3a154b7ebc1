"""Datasets by the Python client and by the command line, against a real service."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
import torch
from rich.console import Console
from safetensors.torch import save_file
from typer.testing import CliRunner, Result

from core.errors import DataRefused, Gone, WrongStatus
from core.views import DatasetView, ProfileView, RowsView
from tests.acceptance.processes import Up
from tests.core.intake.zipping import pets, zipped
from trainwire import schema
from trainwire.cli import app
from trainwire.client import Client
from trainwire.commands.datasets import sending

FLOWERS = "petal,kind,seen\n" + "".join(
    f"{at % 7}.5,{'rose' if at % 7 > 3 else 'lily'},2026-01-{at % 28 + 1:02}\n" for at in range(60)
)


def drawn(page: object) -> str:
    console = Console(file=io.StringIO(), width=200, color_system=None)
    console.print(page)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def command(service: Up, *words: str) -> Result:
    return CliRunner().invoke(app, ["datasets", *words, "--url", service.url])


@pytest.fixture(scope="module")
def flowers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "flowers.csv"
    path.write_text(FLOWERS)
    return path


def test_a_table_is_uploaded_looked_at_fetched_and_deleted(client: Client, flowers: Path, tmp_path: Path) -> None:
    added = client.upload(flowers, "flowers")
    assert client.upload(flowers).id == added.id
    assert client.dataset(added.id) == added
    assert [one.id for one in client.datasets(name="flowers")] == [added.id]
    assert {column.name: column.kind for column in added.profile.columns} == {
        "petal": "number",
        "kind": "category",
        "seen": "date",
    }
    rows = client.dataset_rows(added.id, limit=2)
    assert (rows.columns, len(rows.rows), rows.rows[0][:2]) == (["petal", "kind", "seen"], 2, [0.5, "lily"])
    assert client.download_dataset(added.id, tmp_path).read_text() == FLOWERS
    client.delete_dataset(added.id)
    client.delete_dataset(added.id)
    with pytest.raises(Gone):
        client.dataset(added.id)


def test_a_dataset_is_not_deleted_under_a_job(client: Client, flowers: Path) -> None:
    added = client.upload(flowers)
    spec = {"dataset": {"name": "upload", "id": added.id, "target": "kind"}, "model": "mlp", "epochs": 5_000}
    job = client.submit(spec)
    with pytest.raises(WrongStatus, match=job.id):
        client.delete_dataset(added.id)
    client.cancel(job.id)
    client.wait(job.id)
    client.delete_dataset(added.id)


def test_pictures_are_uploaded_and_trained_on(client: Client, tmp_path: Path) -> None:
    added = client.upload(zipped(tmp_path / "pets.zip", pets()))
    assert (added.profile.form, added.profile.classes) == ("images", ["cats", "dogs"])
    job = client.submit(
        {
            "dataset": {"name": "upload", "id": added.id, "size": [8, 8]},
            "model": "cnn",
            "epochs": 1,
            "split": {"stratify": False},
        }
    )
    assert client.wait(job.id).status == "succeeded"


def test_a_bad_zip_names_its_entry(client: Client, tmp_path: Path) -> None:
    with pytest.raises(DataRefused, match=r"'cats/3.png': its content is no picture") as refused:
        client.upload(zipped(tmp_path / "pets.zip", pets(**{"cats/3.png": b"x"})))
    assert refused.value.problems[0].pointer == "/file/entries/cats~13.png"
    assert list(client.datasets(name="pets")) == []


def test_the_commands_do_what_the_client_does(service: Up, flowers: Path, tmp_path: Path) -> None:
    added = command(service, "add", str(flowers), "--name", "beds")
    assert (added.exit_code, added.stderr) == (0, "")
    assert "60 rows of 3 columns, as csv" in added.stdout
    listed = json.loads(command(service, "list", "--name", "beds", "--json").stdout)["data"]
    (its_id,) = [one["id"] for one in listed]
    assert f'"id": "{its_id}", "target": "…"' in added.stdout
    assert its_id in command(service, "list").stdout
    assert json.loads(command(service, "show", its_id, "--json").stdout) == listed[0]
    assert "lily 36, rose 24" in command(service, "show", its_id).stdout
    rows = command(service, "rows", its_id, "--limit", "1").stdout.split()
    assert rows[:5] == ["petal", "kind", "seen", "0.5", "lily"]
    fetched = command(service, "download", its_id, "--to", str(tmp_path)).stdout
    assert fetched == f"{tmp_path / 'flowers.csv'}\n"
    assert command(service, "delete", its_id).stdout == f"{its_id} deleted\n"
    assert command(service, "show", its_id).exit_code == 2


def test_a_refused_file_is_told_place_by_place(service: Up, tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_text("a,b\n1,2\n1,2,3\n1\n")
    done = command(service, "add", str(tmp_path / "bad.csv"))
    assert (done.exit_code, done.stdout) == (2, "")
    first, *places = done.stderr.splitlines()
    assert first.startswith("The file was refused")
    assert [place.split(":")[0] for place in places] == ["  Row 2 (line 3)", "  Row 3 (line 4)"]


def test_a_terminal_sees_the_file_go_and_a_pipe_nothing() -> None:
    for terminal in (True, False):
        here = Console(file=io.StringIO(), force_terminal=terminal, width=80, color_system=None)
        with sending(here, "flowers.csv") as told:
            assert (told is not None) == terminal
            if told:
                told(500, 1_000)
                told(1_000, 1_000)
        assert isinstance(here.file, io.StringIO)
        assert ("looking into it" in here.file.getvalue()) == terminal


def test_words_of_others_cannot_steer_the_terminal() -> None:
    evil = "\x1b[2J[red]x"
    column = {"name": evil, "kind": "category", "missing": 1, "distinct": 1, "counts": {evil: 3}, "examples": [evil]}
    column["odd"] = {"count": 5, "cells": 200, "places": [[17, evil]]}
    dataset = DatasetView.model_validate(
        {
            "id": "ds_1",
            "sha256": "0" * 64,
            "bytes": 9,
            "filename": evil,
            "names": [{"name": evil, "version": 2}],
            "profile": {"form": "table", "format": "csv", "rows": 3, "columns": [column]},
            "created_at": "2026-11-23T04:05:06.789012Z",
            "links": {"self": "/", "rows": "/", "file": "/"},
        }
    )
    rows = RowsView(columns=[evil], rows=[[evil], [None], [True], [2.0]])
    for page in (schema.dataset_page(dataset), schema.datasets_table([dataset]), schema.rows_table(rows)):
        text = drawn(page)
        assert "\x1b" not in text
        assert "[red]x" in text
    assert drawn(schema.rows_table(rows)).split()[-2:] == ["true", "2"]
    odd = drawn(schema.dataset_page(dataset)).splitlines()[-1]
    assert "is category, not numbers, for 5 of 200 cells: " in odd
    assert odd.endswith("in row 17, …")


@pytest.mark.parametrize(
    ("profile", "told"),
    [
        ({"form": "arrays", "format": "npz", "rows": 5, "shape": [3], "targets": {"classes": 2}}, "3 in 2 classes"),
        ({"form": "arrays", "format": "npz", "rows": 5, "shape": [3], "targets": {"outputs": 4}}, "of 3, 4 targets"),
        ({"form": "arrays", "format": "npy", "rows": 5, "shape": [1, 8, 8]}, "5 samples of 1 x 8 x 8 without targets"),
        (
            {"form": "images", "format": "zip", "rows": 5000, "shape": [1, 28, 28], "classes": ["a", "b"]},
            "5,000 pictures of 1 x 28 x 28 in 2 classes",
        ),
        ({"form": "text", "format": "txt", "rows": 1470}, "1,470 lines of text"),
        ({"form": "weights", "format": "safetensors", "rows": 4, "parameters": 1210}, "4 tensors, 1,210 numbers"),
    ],
)
def test_what_a_dataset_holds_is_said_in_a_line(profile: dict[str, object], told: str) -> None:
    assert told in schema.holds(ProfileView.model_validate(profile))


def test_weights_are_listed_tensor_by_tensor_and_named_as_a_spec_starts_from_them(
    service: Up, client: Client, tmp_path: Path
) -> None:
    path = tmp_path / "mine.safetensors"
    save_file({"hidden.0.weight": torch.zeros(3, 2), "count": torch.tensor(1)}, path)
    added = command(service, "add", str(path))
    assert added.exit_code == 0
    assert "weights of a model: 2 tensors, 7 numbers, as safetensors" in added.stdout
    assert ["hidden.0.weight", "F32", "3", "x", "2"] in [line.split() for line in added.stdout.splitlines()]
    dataset = client.upload(path)
    assert f'In a spec: "init_from": {{"upload": "{dataset.id}"}}' in added.stdout
    assert command(service, "rows", dataset.id).exit_code == 2
    torch.save({"a": 1}, tmp_path / "mine.pt")
    refused = command(service, "add", str(tmp_path / "mine.pt"))
    assert (refused.exit_code, "safetensors.torch.save_file" in refused.stderr) == (2, True)
    client.delete_dataset(dataset.id)
