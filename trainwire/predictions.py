"""The part of the client that predicts: rows, texts or files to a job that has succeeded, its answers back."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx

from core.errors import BadRequest, RowsRefused
from core.views import JobView, PredictionsView
from trainwire.batches import pieces, shifted
from trainwire.connection import JSON_BODY, Connection, given, job_path, written
from trainwire.sending import opened

TYPES: Mapping[str, str] = {
    "csv": "text/csv",
    "tsv": "text/tab-separated-values",
    "json": "application/json",
    "jsonl": "application/jsonl",
    "txt": "text/plain",
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
    "bmp": "image/bmp",
    "gif": "image/gif",
}
"""What a file is sent as, by the ending of its name."""
FIRST_S = 120.0
"""How long an answer may take: the first one waits until the service has loaded torch."""


class Predictions:
    """What a client does with a trained model."""

    _service: Connection

    def predict(  # noqa: PLR0913  what may be predicted
        self,
        job_id: str,
        *,
        rows: Sequence[Any] | None = None,
        texts: Sequence[str | None] | None = None,
        text: str | None = None,
        file: Path | str | Sequence[Path | str] | None = None,
        generate: int | None = None,
        temperature: float | None = None,
        seed: int | None = None,
    ) -> PredictionsView:
        """What a job that has succeeded says of each sample; give one of `rows`, `texts`, `text` and `file`.

        `rows` are objects with the columns by name, or lists of numbers; `file` is a CSV, TSV, JSON, JSONL or TXT, a
        picture, or several pictures. With `text` a language model tells how well it predicts it, and goes on for
        `generate` tokens. Raises RowsRefused with the place of each problem, WrongStatus while there are no weights.
        """
        if file is not None:
            return self._sent(job_id, **_of_files([file] if isinstance(file, Path | str) else file))
        asked = given(
            {"rows": rows, "texts": texts, "text": text}, generate=generate, temperature=temperature, seed=seed
        )
        return self._sent(job_id, content=written(asked), headers=JSON_BODY)

    def predict_all(self, job_id: str, file: Path | str) -> Iterator[dict[str, Any]]:
        """What the job says of each row of a CSV, TSV, JSONL or Parquet file of any size, which is sent in pieces.

        A series whose windows would be cut is refused: send it by `predict`. Raises as `predict` does, rows counted
        from the beginning of the file.
        """
        at = 0
        for count, body in pieces(Path(file)):
            if at and self._of_series(job_id):
                raise BadRequest(f"{file} has more rows of a series than are sent at once, and windows cannot be cut.")
            try:
                yield from self._sent(job_id, content=body, headers=JSON_BODY).data
            except RowsRefused as refused:
                raise shifted(refused, at) from None
            at += count

    def predict_upload(  # noqa: PLR0913  what may be said of a job
        self,
        job_id: str,
        dataset_id: str,
        *,
        format: str = "csv",  # noqa: A002  (its name on the wire)
        name: str | None = None,
        priority: int | None = None,
        resources: Mapping[str, Any] | None = None,
        labels: Mapping[str, str] | None = None,
        idempotency_key: str | None = None,
    ) -> JobView:
        """Queue a job that predicts every row of an upload; it leaves `predictions.csv`, or `.jsonl`, to `download`.

        Raises SpecRefused for an upload that the model cannot take, WrongStatus while there are no weights.
        """
        more = {"name": name, "priority": priority, "resources": resources, "labels": labels}
        wish = given(more, dataset=dataset_id, format=format)
        return self._service.create(JobView, job_path(job_id, "predictions"), wish, key=idempotency_key)

    def predict_bytes(self, job_id: str, content: bytes, ending: str) -> PredictionsView:
        """The same of a file that is already read, of which `ending` says what it is (`csv`, `png`)."""
        return self._sent(job_id, **_body(content, ending))

    def _of_series(self, job_id: str) -> bool:
        job = self._service.read(JobView, self._service.ask("GET", job_path(job_id)))
        return bool(job.spec["dataset"].get("series"))

    def _sent(self, job_id: str, **request: Any) -> PredictionsView:
        wait = httpx.Timeout(self._service.http.timeout.connect, read=FIRST_S)
        answer = self._service.ask("POST", job_path(job_id, "predict"), timeout=wait, **request)
        return self._service.read(PredictionsView, answer)


def _of_files(files: Sequence[Path | str]) -> dict[str, Any]:
    contents = []
    for path in map(Path, files):
        with opened(path) as file:
            contents.append((path.name, file.read()))
    if len(contents) == 1:
        name, content = contents[0]
        return _body(content, name.rpartition(".")[2])
    return {"files": [("file", one) for one in contents]}


def _body(content: bytes, ending: str) -> dict[str, Any]:
    kind = TYPES.get(ending.lower())
    if kind is None:
        raise BadRequest(f"A file named .{ending} cannot be predicted; its name ends in one of {', '.join(TYPES)}.")
    if ending.lower() == "json":
        content = _as_rows(content)
    return {"content": content, "headers": {"Content-Type": kind}}


def _as_rows(content: bytes) -> bytes:
    """A list alone is one of rows."""
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return content  # the service says what is wrong with it
    return written({"rows": found}) if isinstance(found, list) else content
