"""The files a job made: their list, and each one whole or in part."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.concurrency import run_in_threadpool
from starlette.responses import Response

from api import docs
from api.answers import json_answer
from api.context import Api, ApiDep
from api.downloads import Asked, AskedDep, Download, sent
from api.params import JobId
from api.render import artifact_json, page_json
from api.waiting import check_id, standing
from core.errors import NotFound
from core.job import Artifact
from core.views import ArtifactPage

router = APIRouter(prefix="/v1/jobs/{job_id}/artifacts", tags=["artifacts"])

Name = Annotated[str, Path(description="The artifact's name.", examples=["model.safetensors"])]


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
async def download_artifact(job_id: JobId, name: Name, api: ApiDep, asked: AskedDep) -> Response:
    """One file; `ETag` is its SHA-256, and `Range` fetches a part, for example to go on after a cut."""
    check_id(job_id)
    return await run_in_threadpool(_open, api, job_id, name, asked)


def _open(api: Api, job_id: str, name: str, asked: Asked) -> Response:
    if "\x00" in name:
        raise NotFound(f"There is no artifact {name[:80]!r}.")
    found = api.store.artifact(job_id, name)
    file = Download(found.path, found.name, found.media_type, found.sha256)
    return sent(api.settings.artifacts, file, asked)
