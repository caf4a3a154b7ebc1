"""The part of the client that is about data: upload a file, see what is in it, fetch and delete it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx

from core.views import ArtifactView, DatasetPage, DatasetView, RowsView
from trainwire.connection import Connection, dataset_path
from trainwire.downloading import fetch
from trainwire.sending import Sent, opened

PATH = "/v1/datasets"
DATASETS_PAGE = 100
LOOK_S = 900.0
"""How long the answer to an upload may take: by then the service has looked through the whole file."""


class Datasets:
    """What a client does with data."""

    _service: Connection

    def upload(
        self, path: Path | str, name: str | None = None, *, told: Callable[[int, int], None] | None = None
    ) -> DatasetView:
        """Upload a file: CSV, TSV, Parquet, JSONL, NPZ, NPY, TXT, or a zip of pictures. The same bytes are one dataset.

        Under a `name` it is the next version of what was uploaded under it before. The file is sent as it is read, and
        sent again when the connection breaks; `told` hears how many of its bytes are on their way, and how many there
        are. Raises DataRefused with the places of what is wrong in it.
        """
        wait = httpx.Timeout(self._service.http.timeout.connect, read=LOOK_S)
        with opened(Path(path)) as file:
            form = {
                "data": {} if name is None else {"name": name},
                "files": {"file": (Path(path).name, Sent(file, told))},
            }
            return self._service.read(DatasetView, self._service.insist("POST", PATH, timeout=wait, **form))

    def datasets(self, *, name: str | None = None, limit: int | None = None) -> Iterator[DatasetView]:
        """The datasets, newest first; all of them without a `limit`."""
        yield from self._service.listed(DatasetPage, PATH, {"name": name}, limit=limit, at_once=DATASETS_PAGE)

    def dataset(self, dataset_id: str) -> DatasetView:
        """What is in a dataset: its columns with their kinds, missing cells, ranges and examples."""
        return self._service.read(DatasetView, self._service.ask("GET", dataset_path(dataset_id)))

    def dataset_rows(self, dataset_id: str, *, limit: int = 20) -> RowsView:
        """The first rows of a table, as they are read for training."""
        answer = self._service.ask("GET", dataset_path(dataset_id, "rows"), params={"limit": limit})
        return self._service.read(RowsView, answer)

    def download_dataset(self, dataset_id: str, folder: Path | str = ".") -> Path:
        """Fetch the file as it was uploaded, under its own name, checked; returns where it lies."""
        dataset = self.dataset(dataset_id)
        file = ArtifactView(
            name=dataset.filename,
            media_type="application/octet-stream",
            bytes=dataset.bytes,
            sha256=dataset.sha256,
            url=dataset.links.file,
        )
        return fetch(self._service, file, Path(folder))

    def delete_dataset(self, dataset_id: str) -> None:
        """Delete a dataset and its file; raises WrongStatus while a job needs it. May be repeated."""
        self._service.insist("DELETE", dataset_path(dataset_id))
