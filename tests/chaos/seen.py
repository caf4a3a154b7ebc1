"""What the outside sees of a job: everything that HTTP and the artifacts folder tell of it, as plain values."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.chaos.services import Door

TIMES = ("epoch_s", "samples_per_s", "data_wait_s")


@dataclass(frozen=True)
class File:
    """A file that the service names: what it should be, and what it is (None: it is not there)."""

    name: str
    sha256: str
    found: str | None


@dataclass(frozen=True)
class Seen:
    """A job from outside; `job` is None when nobody knows it."""

    id: str
    job: Mapping[str, Any] | None
    rows: tuple[Mapping[str, Any], ...] = ()
    events: tuple[Mapping[str, Any], ...] = ()
    artifacts: tuple[File, ...] = ()
    checkpoints: tuple[File, ...] = ()

    @property
    def status(self) -> str:
        return str(self.job["status"]) if self.job else "unknown"

    @property
    def reason(self) -> str | None:
        return self.job["status_reason"] if self.job else None

    @property
    def first_epoch(self) -> int:
        """A job that was made from another one begins behind what it took over."""
        parent = self.job["parent"] if self.job else None
        return 1 + (parent["epoch"] or 0 if parent else 0)

    @property
    def figures(self) -> dict[int, dict[str, Any]]:
        """The rows without their times."""
        left_out = {"epoch", *TIMES}
        return {row["epoch"]: {key: row[key] for key in row if key not in left_out} for row in self.rows}


def look(door: Door, job_id: str) -> Seen:
    """Read a job whole."""
    path = f"/v1/jobs/{job_id}"
    answer = door.ask("GET", path)
    if answer.status_code != httpx.codes.OK:
        return Seen(job_id, None)
    job = answer.json()
    return Seen(
        job_id,
        job,
        rows=tuple(door.all_of(f"{path}/metrics")),
        events=tuple(door.all_of(f"{path}/events")),
        artifacts=tuple(_artifact(door, file) for file in door.get(f"{path}/artifacts")["data"]),
        checkpoints=tuple(_checkpoints(door, job)),
    )


def _artifact(door: Door, file: Mapping[str, Any]) -> File:
    answer = door.ask("GET", file["url"])
    found = hashlib.sha256(answer.content).hexdigest() if answer.status_code == httpx.codes.OK else None
    return File(file["name"], file["sha256"], found)


def _checkpoints(door: Door, job: Mapping[str, Any]) -> list[File]:
    owners = _line(door, job)
    files: list[File] = []
    for listed in door.get(f"/v1/jobs/{job['id']}/checkpoints")["data"]:
        # one that was taken over from another job is of no attempt of this one
        place = f"checkpoints/{listed['attempt'] or '*'}/{listed['epoch']:06d}-{listed['step']:08d}"
        for file in listed["files"]:
            there = [path for owner in owners for path in (door.artifacts / owner).glob(f"{place}/{file['name']}")]
            hashes = [_sha256(path) for path in there]
            found = file["sha256"] if file["sha256"] in hashes else next(iter(hashes), None)
            files.append(File(f"{place}/{file['name']}", file["sha256"], found))
    return files


def _line(door: Door, job: Mapping[str, Any]) -> list[str]:
    """The job and those it was made from: a fork's checkpoints may lie in its parent's folder."""
    line = [str(job["id"])]
    while job["parent"]:
        line.append(str(job["parent"]["id"]))
        answer = door.ask("GET", f"/v1/jobs/{line[-1]}")
        if answer.status_code != httpx.codes.OK:
            break
        job = answer.json()
    return line


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
