"""The part of the client that acts on a job: pause, resume, cancel, retry, fork, delete."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.views import JobView
from trainwire.connection import Connection, given, job_path


class Verbs:
    """What a client does to a job."""

    _service: Connection

    def pause(self, job_id: str) -> JobView:
        """Stop a job behind a checkpoint and free its slot: at once while it waits; may be repeated."""
        return self._verb(job_id, "pause")

    def resume(self, job_id: str) -> JobView:
        """Queue a paused job again; it goes on where it stopped; may be repeated."""
        return self._verb(job_id, "resume")

    def cancel(self, job_id: str, *, force: bool = False) -> JobView:
        """End a job: at once while it waits, else at its next step; `force` kills the run. May be repeated."""
        return self._verb(job_id, "cancel", **({"force": "true"} if force else {}))

    def retry(self, job_id: str, *, from_start: bool = False) -> JobView:
        """A failed or cancelled job again, as a new job from its last checkpoint, or from the start."""
        wish = {"from": "start" if from_start else "checkpoint"}
        return self._service.create(JobView, job_path(job_id, "retry"), wish)

    def fork(self, job_id: str, *, epoch: int | None = None, patch: Mapping[str, Any] | None = None) -> JobView:
        """A new job that goes on behind `epoch` (default: the newest) of this one, by its spec with `patch` over it.

        `patch` is a JSON Merge Patch (RFC 7396); raises `SpecRefused` for one that changes data, split or shapes.
        """
        wish = given({"epoch": epoch}, patch=None if patch is None else dict(patch))
        return self._service.create(JobView, job_path(job_id, "fork"), wish)

    def delete(self, job_id: str) -> None:
        """Delete an ended job with its rows and files; what is asked of it later raises `Gone`. May be repeated."""
        self._service.insist("DELETE", job_path(job_id))

    def _verb(self, job_id: str, verb: str, **params: str) -> JobView:
        return self._service.read(JobView, self._service.insist("POST", job_path(job_id, verb), params=params))
