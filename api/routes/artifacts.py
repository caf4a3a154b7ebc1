"""The files a job made: their list, and each one whole or in part."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Header, Path
from fastapi.concurrency import run_in_threadpool
from starlette.responses import Response

from api import docs
from api.answers import json_answer, names, unchanged
from api.context import Api, ApiDep
from api.files import OpenFile, open_below
from api.params import IfNoneMatch, JobId
from api.ranges import asked_part
from api.render import artifact_json, page_json
from api.waiting import check_id, standing
from core.errors import NotFound
from core.job import Artifact
from core.views import ArtifactPage

router = APIRouter(prefix="/v1/jobs/{job_id}/artifacts", tags=["artifacts"])

Name = Annotated[str, Path(description="The artifact's name.", examples=["model.safetensors"])]
Range = Annotated[str | None, Header(description="`bytes=0-99`: a part of the file.")]
IfRange = Annotated[str | None, Header(description="The entity tag for which the range holds.")]


@router.get("", operation_id="listArtifacts", response_model=ArtifactPage, responses=docs.job_problems())
async def list_artifacts(job_id: JobId, api: ApiDep) -> Response:
    """The files that the job made."""

    def look() -> list[Artifact]:
        standing(api, job_id)
        return api.store.artifacts(job_id)

    return json_answer(page_json(artifact_json(job_id, artifact) for artifact in await api.read(look)))


@router.get(
    "/{name}",
    operation_id="downloadArtifact",
    response_class=Response,
    responses=docs.FILE | docs.NOT_MODIFIED | docs.job_problems(416),
)
async def download_artifact(  # noqa: PLR0913 - the headers of a download
    job_id: JobId,
    name: Name,
    api: ApiDep,
    *,
    if_none_match: IfNoneMatch = None,
    range: Range = None,  # noqa: A002 - the header's name
    if_range: IfRange = None,
) -> Response:
    """One file; `ETag` is its SHA-256, and `Range` fetches a part, for example to go on after a cut."""
    check_id(job_id)
    return await run_in_threadpool(_open, api, job_id, name, Asked(if_none_match, range, if_range))


@dataclass(frozen=True, slots=True)
class Asked:
    """The headers that say which bytes the client wants."""

    if_none_match: str | None
    range: str | None
    if_range: str | None


def _open(api: Api, job_id: str, name: str, asked: Asked) -> Response:
    if "\x00" in name:
        raise NotFound(f"There is no artifact {name[:80]!r}.")
    artifact = api.store.artifact(job_id, name)
    etag = f'"{artifact.sha256}"'
    if names(asked.if_none_match, etag):
        return unchanged(etag)
    descriptor = open_below(api.settings.artifacts, artifact.path)
    try:
        size = os.fstat(descriptor).st_size
        part = asked_part(asked.range, asked.if_range, etag=etag, size=size)
    except BaseException:
        os.close(descriptor)
        raise
    return OpenFile(descriptor, size=size, part=part, headers=_headers(artifact, etag))


def _headers(artifact: Artifact, etag: str) -> dict[str, str]:
    return {
        "ETag": etag,
        "Cache-Control": "no-cache",
        "Content-Type": artifact.media_type,
        "Content-Disposition": f"attachment; filename*=utf-8''{quote(artifact.name, safe='')}",
        "Content-Security-Policy": "sandbox",
    }
