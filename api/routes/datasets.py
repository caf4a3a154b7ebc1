"""Data of the users' own: upload a file, see what is in it, fetch and delete it."""

from __future__ import annotations

import functools
import os
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import Response

from api import docs
from api.answers import NO_CACHE, digest, json_answer, names, next_link, unchanged
from api.context import Api, ApiDep, limits_of
from api.datasets import dataset_json, dataset_path, rows_csv, rows_json
from api.downloads import Asked, AskedDep, Download, sent
from api.files import open_below
from api.forms import NAME
from api.params import DatasetId, IfNoneMatch
from api.render import page_json
from api.uploads import look, received
from core import datafiles, intake
from core.artifacts import DATASETS, dataset_file
from core.dataset import Dataset
from core.errors import BadRequest, Gone, NotFound
from core.ids import is_id
from core.store import DatasetQuery
from core.views import DatasetPage, DatasetView, RowsView

PATH = "/v1/datasets"
MOST_DATASETS = 100
MOST_ROWS = 1000
_FORM = docs.form(
    {
        "file": {
            "type": "string",
            "format": "binary",
            "description": "CSV, TSV, Parquet, JSONL, NPZ, NPY, TXT, a zip of pictures, or weights as safetensors.",
        },
        "name": {"type": "string", "pattern": NAME, "description": "What the dataset is to be called."},
    },
    "file",
)

router = APIRouter(prefix=PATH, tags=["datasets"])


@router.post(
    "",
    operation_id="uploadDataset",
    status_code=201,
    response_model=DatasetView,
    responses=docs.headed(201, "The dataset is there.", "Location")
    | {200: {**docs.headed(200, "It was there before.", "Location")[200], "model": DatasetView}}
    | docs.data_problems(403, 413, 415, 507),
    openapi_extra=_FORM,
)
async def upload_dataset(request: Request, api: ApiDep) -> Response:
    """Upload a file; it is looked through before the answer comes, and kept only if it can be trained on.

    The same bytes again are the same dataset (200). A `name` means the file that came under it last; each has its
    version. Problems of the file come with their places.
    """
    dataset, made = await received(api, request)
    return json_answer(dataset_json(dataset), 201 if made else 200, {"Location": dataset_path(dataset.id)})


@router.get("", operation_id="listDatasets", response_model=DatasetPage, responses=docs.problems())
async def list_datasets(
    request: Request,
    api: ApiDep,
    *,
    limit: Annotated[int, Query(ge=1, le=MOST_DATASETS, description="Datasets at most.")] = 20,
    after: Annotated[str | None, Query(max_length=200, description="A page's `next`: read on behind it.")] = None,
    name: Annotated[str | None, Query(pattern=NAME, description="Only what was given this name.")] = None,
) -> Response:
    """List datasets, newest first; page on with `after`."""
    page = await run_in_threadpool(api.store.datasets, DatasetQuery(limit=limit, after=after, name=name))
    return json_answer(page_json(map(dataset_json, page.rows), after=page.next), headers=next_link(request, page.next))


@router.get(
    "/{dataset_id}",
    operation_id="getDataset",
    response_model=DatasetView,
    responses=docs.headed(200, "The dataset.", "ETag") | docs.NOT_MODIFIED | docs.problems(404, 410),
)
async def get_dataset(dataset_id: DatasetId, api: ApiDep, *, if_none_match: IfNoneMatch = None) -> Response:
    """What was found in a dataset: its columns with their kinds, missing cells, ranges and examples."""
    text = dataset_json(await run_in_threadpool(_dataset, api, dataset_id))
    etag = digest(text)
    return unchanged(etag) if names(if_none_match, etag) else json_answer(text, headers={"ETag": etag})


@router.get(
    "/{dataset_id}/rows",
    operation_id="listRows",
    response_model=RowsView,
    responses=docs.ROWS | docs.problems(404, 410),
)
async def list_rows(
    dataset_id: DatasetId,
    api: ApiDep,
    *,
    limit: Annotated[int, Query(ge=1, le=MOST_ROWS, description="Rows at most.")] = 20,
    format: Annotated[Literal["json", "csv"], Query(description="JSON or CSV.")] = "json",  # noqa: A002 - its name
) -> Response:
    """The first rows of a table, empty cells as null; of pictures the file names and classes; of a text its lines.

    In CSV a word that a spreadsheet might run as a formula begins with an apostrophe.
    """
    dataset = await run_in_threadpool(_with_rows, api, dataset_id)
    file = dataset_file(api.settings.artifacts, dataset.sha256)
    kinds = {column.name: column.kind for column in dataset.profile.columns}
    read = functools.partial(
        intake.first_rows, file, dataset.profile.format, limit, kinds=kinds, limits=limits_of(api.settings)
    )
    columns, rows = await look(api, read)
    if format == "csv":
        return Response(rows_csv(columns, rows), headers=NO_CACHE, media_type="text/csv")
    return json_answer(rows_json(columns, rows))


@router.get(
    "/{dataset_id}/file",
    operation_id="downloadDataset",
    response_class=Response,
    responses=docs.FILE | docs.NOT_MODIFIED | docs.problems(404, 410, 416),
)
async def download_dataset(dataset_id: DatasetId, api: ApiDep, asked: AskedDep) -> Response:
    """The file as it was uploaded; `ETag` is its SHA-256, and `Range` fetches a part."""
    return await run_in_threadpool(_open, api, dataset_id, asked)


@router.delete("/{dataset_id}", operation_id="deleteDataset", status_code=204, responses=docs.problems(403, 404, 409))
async def delete_dataset(dataset_id: DatasetId, api: ApiDep) -> Response:
    """Delete a dataset and its file; repeatable. Refused while a job that has not ended needs it.

    Whoever asks for it from then on gets a 410. Jobs that were trained on it stay, but cannot be retried or forked.
    """
    await run_in_threadpool(_delete, api, _checked(dataset_id))
    return Response(status_code=204)


def _checked(dataset_id: str) -> str:
    if not is_id(dataset_id, kind="ds"):
        raise NotFound(f"There is no dataset {dataset_id[:80]!r}.")
    return dataset_id


def _dataset(api: Api, dataset_id: str) -> Dataset:
    return api.store.dataset(_checked(dataset_id))


def _with_rows(api: Api, dataset_id: str) -> Dataset:
    dataset = _dataset(api, dataset_id)
    if (form := dataset.profile.form) in ("arrays", "weights"):
        told = f"Dataset {dataset_id} holds {form}, which have no rows to show; its file can be fetched."
        raise BadRequest(told, param="/path/dataset_id")
    os.close(open_below(api.settings.artifacts, f"{DATASETS}/{dataset.sha256}"))  # a 404 where it was lost
    return dataset


def _open(api: Api, dataset_id: str, asked: Asked) -> Response:
    dataset = _dataset(api, dataset_id)
    file = Download(f"{DATASETS}/{dataset.sha256}", dataset.filename, "application/octet-stream", dataset.sha256)
    return sent(api.settings.artifacts, file, asked)


def _delete(api: Api, dataset_id: str) -> None:
    """The row first; a file that stays behind a crash goes with the next housekeeping."""
    try:
        sha256 = api.store.dataset(dataset_id).sha256
    except Gone:
        return
    with datafiles.settling(api.settings.artifacts, sha256):
        if api.store.remove_dataset(dataset_id) is not None:
            datafiles.remove(api.settings.artifacts, sha256)
