"""`predict`: what a trained model says of a file, of a text, of standard input, or of a dataset in a job."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from core import wire
from core.errors import BadRequest
from core.sentences import plain
from core.serving.sheet import flat
from core.views import PredictionsView
from trainwire.batches import STREAMED, write
from trainwire.client import Client
from trainwire.commands.making import queued
from trainwire.commands.options import AsJson, JobId, Url, Watch, console, print_json
from trainwire.exits import errors_told

DATASET = "ds_"
"""How the id of a dataset begins."""
_SHOWN = 100
_ROW = "row"


def predict(  # noqa: PLR0913  an option each
    *,
    job_id: JobId,
    files: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="FILE|-",
            help="CSV, TSV, JSON, JSONL, TXT, or pictures; with --to Parquet too; - reads CSV or JSON. The id of a "
            "dataset, or any file with --job, is predicted by a job of its own.",
        ),
    ] = None,
    text: Annotated[str | None, typer.Option(help="A text, for a language model.")] = None,
    generate: Annotated[int | None, typer.Option(min=0, help="So many tokens behind it.")] = None,
    temperature: Annotated[float | None, typer.Option(min=0, help="0: the most probable; 1: drawn.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Of what is drawn.")] = None,
    to: Annotated[Path | None, typer.Option(help="Write the predictions as CSV; a table of any size.")] = None,
    in_job: Annotated[bool, typer.Option("--job", help="Upload the file, and predict it in a job.")] = False,
    watch: Watch = False,
    as_json: AsJson = False,
    url: Url = None,
) -> None:
    """Let a trained model predict."""
    with errors_told(as_json=as_json), Client(url) as client:
        if in_job or (files and files[0].startswith(DATASET)):
            data = _dataset(client, files or [], to)
            queued(client, client.predict_upload(job_id, data), watch=watch, as_json=as_json)
            return
        if to is not None and text is None and files and _is_streamed(files):
            _tell(write(client.predict_all(job_id, files[0]), to), to, as_json=as_json)
            return
        if text is not None:
            found = client.predict(job_id, text=text, generate=generate, temperature=temperature, seed=seed)
        else:
            found = _of_files(client, job_id, files or [])
        if to is not None:
            _tell(write(found.data, to), to, as_json=as_json)
            return
    if as_json:
        print_json(found)
    else:
        _show([flat(one) for one in found.data], found)


def _dataset(client: Client, files: list[str], to: Path | None) -> str:
    """The dataset whose rows a job is to predict, uploaded now unless it is one already."""
    if to is not None:
        raise BadRequest("A job leaves its predictions as a file: omit --to, and fetch it by trainwire download.")
    if len(files) != 1 or files == ["-"]:
        raise BadRequest("A job predicts one file: name it, or the dataset that it is.")
    return files[0] if files[0].startswith(DATASET) else client.upload(files[0]).id


def _is_streamed(files: list[str]) -> bool:
    return len(files) == 1 and files[0].rpartition(".")[2].lower() in STREAMED


def _tell(count: int, to: Path, *, as_json: bool) -> None:
    print(wire.dumps({"predictions": count, "files": [str(to)]}) if as_json else f"{count:,} predictions in {to}")


def _of_files(client: Client, job_id: str, files: list[str]) -> PredictionsView:
    if not files:
        raise BadRequest("Name a file to predict, or - for standard input; or give a --text.")
    if files != ["-"]:
        return client.predict(job_id, file=files)
    content = sys.stdin.buffer.read()
    return client.predict_bytes(job_id, content, "json" if content.lstrip()[:1] in (b"{", b"[") else "csv")


def _show(rows: list[dict[str, Any]], found: PredictionsView) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    names = list(dict.fromkeys(name for row in rows for name in row))
    for name in (_ROW, *names):
        table.add_column(escape(plain(name)), overflow="fold")
    for place, row in enumerate(rows[:_SHOWN]):
        table.add_row(str(place), *(escape(plain(_short(row.get(name)))) for name in names))
    here = console()
    here.print(table, soft_wrap=True)
    if len(rows) > _SHOWN:
        here.print(f"… and {len(rows) - _SHOWN:,} more; --to FILE writes them all")
    here.print(f"by the weights of epoch {found.weights.epoch} of {found.weights.job}")


def _short(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else "" if value is None else str(value)
