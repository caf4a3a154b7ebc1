"""`datasets`: add a file, list what is there, look at one, take it home, delete it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from core import wire
from core.sentences import plain
from trainwire import schema
from trainwire.client import Client
from trainwire.commands.options import AsJson, Url, console, print_json
from trainwire.exits import errors_told

app = typer.Typer(no_args_is_help=True, help="Upload data to train on, and look at what is there.")

DatasetId = Annotated[str, typer.Argument(metavar="ID", help="The dataset, as `datasets list` names it.")]
Told = Callable[[int, int], None]


@app.command()
def add(
    *,
    file: Annotated[
        Path, typer.Argument(help="CSV, TSV, Parquet, JSONL, NPZ, NPY, TXT, a zip of pictures, or .safetensors.")
    ],
    name: Annotated[str | None, typer.Option(help="What to call it: the next version of that name.")] = None,
    as_json: AsJson = False,
    url: Url = None,
) -> None:
    """Upload a file; what is wrong in it is told with the place."""
    with errors_told(as_json=as_json), Client(url) as client, sending(Console(stderr=True), file.name) as told:
        added = client.upload(file, name, told=told)
    if as_json:
        print_json(added)
    else:
        console().print(schema.dataset_page(added), soft_wrap=True)
        print(f"\nIn a spec: {schema.in_a_spec(added)}")


@app.command("list")
def list_(
    *,
    name: Annotated[str | None, typer.Option(help="Only what was given this name.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, newest first.")] = 20,
    as_json: AsJson = False,
    url: Url = None,
) -> None:
    """List the datasets, newest first."""
    with errors_told(as_json=as_json), Client(url) as client:
        found = list(client.datasets(name=name, limit=limit))
    if as_json:
        print(wire.dumps({"data": [one.model_dump(mode="json") for one in found]}))
    else:
        console().print(schema.datasets_table(found))


@app.command()
def show(*, dataset_id: DatasetId, as_json: AsJson = False, url: Url = None) -> None:
    """Show what is in a dataset: each column with its kind, missing cells, range and values."""
    with errors_told(as_json=as_json), Client(url) as client:
        found = client.dataset(dataset_id)
    if as_json:
        print_json(found)
    else:
        console().print(schema.dataset_page(found), soft_wrap=True)


@app.command()
def rows(
    *,
    dataset_id: DatasetId,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 20,
    as_json: AsJson = False,
    url: Url = None,
) -> None:
    """Show the first rows of a table, as they are read for training."""
    with errors_told(as_json=as_json), Client(url) as client:
        found = client.dataset_rows(dataset_id, limit=limit)
    if as_json:
        print_json(found)
    else:
        console().print(schema.rows_table(found), soft_wrap=True)


@app.command()
def download(
    *,
    dataset_id: DatasetId,
    to: Annotated[Path, typer.Option(help="The folder to put it in.", show_default="this one")] = Path(),
    as_json: AsJson = False,
    url: Url = None,
) -> None:
    """Fetch the file as it was uploaded, checked."""
    with errors_told(as_json=as_json), Client(url) as client:
        path = client.download_dataset(dataset_id, to)
    print(wire.dumps({"files": [str(path)]}) if as_json else path)


@app.command()
def delete(*, dataset_id: DatasetId, as_json: AsJson = False, url: Url = None) -> None:
    """Delete a dataset and its file, unless a job needs it; repeatable."""
    with errors_told(as_json=as_json), Client(url) as client:
        client.delete_dataset(dataset_id)
    print(wire.dumps({"id": dataset_id, "deleted": True}) if as_json else f"{dataset_id} deleted")


@contextmanager
def sending(here: Console, name: str) -> Iterator[Told | None]:
    """What moves a bar on a terminal, None where there is none; at its end the service looks into the file."""
    if not here.is_terminal:
        yield None
        return
    columns = (TextColumn("{task.description}", markup=False), BarColumn(14), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=here, transient=True) as bar:
        task = bar.add_task(plain(name), total=None)

        def told(sent: int, length: int) -> None:
            words = "looking into it" if sent == length else plain(name)
            bar.update(task, completed=sent, total=length, description=words)

        yield told
