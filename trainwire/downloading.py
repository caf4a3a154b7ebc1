"""Bringing a file home: streamed to a temporary name, checked against its SHA-256, then renamed."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import httpx

from core.errors import BadRequest, TrainwireError
from core.views import ArtifactView
from trainwire.address import no_server
from trainwire.connection import Connection
from trainwire.refusals import refusal


class DownloadBroken(TrainwireError):
    """The file that arrived is not the one that was promised."""

    code = "download_broken"


def fetch(service: Connection, artifact: ArtifactView, folder: Path) -> Path:
    """Write `artifact` into `folder` and return its path; an older file of that name is replaced.

    Raises DownloadBroken, NoServer, what the service refuses, and BadRequest where the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return _kept(service.http, artifact, folder)
    except httpx.RequestError as error:
        raise no_server(service.url, error) from error
    except OSError as error:
        raise BadRequest(f"{folder} cannot be written: {error.strerror}.") from error


def _kept(http: httpx.Client, artifact: ArtifactView, folder: Path) -> Path:
    path = folder / Path(artifact.name).name
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        digest = _stream(http, artifact.url, unfinished)
        if digest != artifact.sha256:
            raise DownloadBroken(f"{artifact.name} arrived with SHA-256 {digest}, not {artifact.sha256}: try again.")
        return unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _stream(http: httpx.Client, url: str, path: Path) -> str:
    digest = hashlib.sha256()
    with http.stream("GET", url, headers={"Accept-Encoding": "identity"}) as answer, path.open("wb") as file:
        if answer.status_code != httpx.codes.OK:
            raise refusal(answer.status_code, answer.read())
        for block in answer.iter_bytes():
            file.write(block)
            digest.update(block)
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest()
