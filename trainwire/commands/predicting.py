"""`predict`: what a trained model says of a file, of a text, or of standard input."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from core.errors import BadRequest
from core.views import PredictionsView
from trainwire.client import Client
from trainwire.commands.options import AsJson, JobId, Url, console, print_json
from trainwire.exits import errors_told
from trainwire.figures import plain

_SHOWN = 100
_ROW = "row"
_PREFIXES = {"values": "", "probabilities": "probability "}


def predict(  # noqa: PLR0913  an option each
    *,
    job_id: JobId,
    files: Annotated[
        list[str] | None,
        typer.Argument(metavar="FILE|-", help="CSV, TSV, JSON, JSONL, TXT, or pictures; - reads CSV or JSON."),
    ] = None,
    text: Annotated[str | None, typer.Option(help="A text, for a language model.")] = None,
    generate: Annotated[int | None, typer.Option(min=0, help="So many tokens behind it.")] = None,
    temperature: Annotated[float | None, typer.Option(min=0, help="0: the most probable; 1: drawn.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Of what is drawn.")] = None,
    to: Annotated[Path | None, typer.Option(help="Write the predictions as CSV.")] = None,
    as_json: AsJson = False,
    url: Url = None,
) -> None:
    """Let a trained model predict."""
    with errors_told(as_json=as_json), Client(url) as client:
        if text is not None:
            found = client.predict(job_id, text=text, generate=generate, temperature=temperature, seed=seed)
        else:
            found = _of_files(client, job_id, files or [])
        rows = [_flat(one) for one in found.data]
        if to is not None:
            _write(rows, to)
    if as_json:
        print_json(found)
    elif to is not None:
        print(f"{len(rows):,} predictions in {to}")
    else:
        _show(rows, found)


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


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """A prediction as cells: each probability, target and step of a forecast in a column of its own."""
    cells: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, dict):
            cells |= {f"{_PREFIXES.get(name, f'{name} ')}{inner}": cell for inner, cell in value.items()}
        elif name == "forecast":
            cells |= {f"{name} {step}": cell for step, cell in enumerate(value, 1)}
        elif name == "labels":
            cells[name] = "|".join(value)
        else:
            cells[name] = json.dumps(value, ensure_ascii=False) if isinstance(value, list) else value
    return cells


def _write(rows: list[dict[str, Any]], to: Path) -> None:
    names: Iterable[str] = dict.fromkeys(name for row in rows for name in row)
    try:
        with to.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, [_ROW, *names])
            writer.writeheader()
            writer.writerows({_ROW: place, **row} for place, row in enumerate(rows))
    except OSError as error:
        raise BadRequest(f"{to} cannot be written: {error.strerror}.") from error
