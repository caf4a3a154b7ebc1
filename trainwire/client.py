"""The service from Python: submit a spec, watch the losses arrive, take the model home."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from core import wire
from core.errors import NoServer, Unavailable
from core.views import (
    ArtifactPage,
    ArtifactView,
    CatalogView,
    CheckpointPage,
    CheckpointView,
    CurvesList,
    CurvesView,
    JobPage,
    JobView,
    Page,
    PlanView,
    ReportView,
    WorkerPage,
    WorkerView,
)
from trainwire.changes import Change, follow_all
from trainwire.connection import JSON_BODY, LONG_POLL_S, Connection, given, job_path, written
from trainwire.datasets import Datasets
from trainwire.downloading import fetch
from trainwire.predictions import Predictions
from trainwire.verbs import Verbs
from trainwire.watching import Event, Patience, follow

ROWS_PAGE = 1000
JOBS_PAGE = 100
EXPORT_S = 1800.0
"""How long an export is waited for: longer than a service takes that is set up with much patience."""


class Client(Verbs, Datasets, Predictions):
    """A Trainwire service, reached over HTTP.

    `url` defaults to `TRAINWIRE_URL`, else to the service on `./trainwire-data`, else to port 8000 of this machine;
    `api_key` to `TRAINWIRE_API_KEY`. The methods raise the errors of `core.errors`: `SpecRefused`, `DataRefused` and
    `RowsRefused` (with their `problems`), `NotFound`, `Gone`, `WrongStatus`, `KeyReused`, `NotAllowed`, `Unavailable`,
    `NoServer`; `problem` is the body. A write whose connection breaks before the answer is repeated, never done
    twice.
    """

    def __init__(self, url: str | None = None, *, api_key: str | None = None, timeout_s: float = 30.0) -> None:
        self._service = Connection(url, api_key=api_key, timeout_s=timeout_s)
        self.url = self._service.url

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections back."""
        self._service.http.close()

    def submit(self, spec: Mapping[str, Any], *, idempotency_key: str | None = None) -> JobView:
        """Queue a job; raises `SpecRefused` with every problem of the spec.

        With a key of your own, asking again within 24 hours gives the same job, even from another process.
        """
        return self._service.create(JobView, "/v1/jobs", spec, key=idempotency_key)

    def plan(self, spec: Mapping[str, Any], *, probe: bool = False) -> PlanView:
        """What a job of this spec would be: every default, its sizes, its memory, its time; nothing is queued.

        With `probe` a worker tries it out for some seconds; raises `Unavailable` when none could within 30 s. Raises
        `SpecRefused` as `submit` does.
        """
        params = {"probe": "true"} if probe else {}
        ask = self._ask if probe else self._service.insist
        answer = ask("POST", "/v1/jobs/plan", content=written(spec), headers=JSON_BODY, params=params)
        return self._service.read(PlanView, answer)

    def job(self, job_id: str) -> JobView:
        """How a job stands."""
        return self._service.read(JobView, self._ask("GET", job_path(job_id)))

    def jobs(
        self,
        *,
        status: str | None = None,
        name: str | None = None,
        search: str | None = None,
        order: str | None = None,
        limit: int | None = None,
    ) -> Iterator[JobView]:
        """The jobs, newest first; all of them without a `limit`. `search` is found anywhere in names and ids.

        `order`: `asc` (the oldest first), `name`, `loss` (of the best epoch) or `finished`; `-loss`: the highest first.
        """
        filters = {"status": status, "name": name, "q": search, "order": order}
        yield from self._service.listed(JobPage, "/v1/jobs", filters, limit=limit, at_once=JOBS_PAGE)

    def checkpoints(self, job_id: str) -> list[CheckpointView]:
        """The checkpoints that a job can go on from, newest first."""
        return self._service.read(CheckpointPage, self._ask("GET", job_path(job_id, "checkpoints"))).data

    def metrics(self, job_id: str, *, after: int = 0) -> list[dict[str, Any]]:
        """The epoch rows behind epoch `after`, NaN and infinity as they were."""
        return [wire.exact(row) for row in self._rows(job_path(job_id, "metrics"), after=after, key="epoch")]

    def curves(
        self, jobs: Iterable[str], figures: Iterable[str] = ("train_loss", "val_loss"), *, max_points: int = 500
    ) -> list[CurvesView]:
        """Some figures of up to 200 jobs in one request, as columns, each job thinned so that it looks the same."""
        asked = {"jobs": ",".join(jobs), "figures": ",".join(figures), "max_points": max_points}
        return self._service.read(CurvesList, self._ask("GET", "/v1/metrics", params=asked)).data

    def events(self, job_id: str, *, after: int = 0) -> list[Event]:
        """The stored events behind event `after`."""
        return [Event.of(row) for row in self._rows(job_path(job_id, "events"), after=after, key="seq")]

    def watch(self, job_id: str, *, after: int = 0, patience_s: float = 600.0) -> Iterator[Event]:
        """The events behind event `after` as they happen, each once and in order, until `end`.

        Connects again and resumes by itself when the stream breaks off, also while the service restarts (a warning of
        the logger `trainwire` says so, once); raises `NoServer` when nothing answers at first, or for `patience_s`
        later on.
        """
        return follow(
            self.url, job_path(job_id, "events"), headers=self._service.key, after=after, patience_s=patience_s
        )

    def watch_all(
        self, jobs: Iterable[str] | None = None, *, cursor: str = "", patience_s: float = 600.0
    ) -> Iterator[Change]:
        """What changes of all jobs, or of `jobs` until they have ended: `reset`, `job`, `deleted`, `progress`.

        Of `jobs` also each event of their logs, once and in order. After a `reset`, as at the beginning, read what
        you need (`jobs`, `metrics`): nothing later is missed. Resumes by itself, as `watch` does.
        """
        named = [jobs] if isinstance(jobs, str) else None if jobs is None else list(jobs)
        return follow_all(self.url, named, headers=self._service.key, cursor=cursor, patience_s=patience_s)

    def wait(self, job_id: str, *, timeout_s: float = float("inf"), patience_s: float = 600.0) -> JobView:
        """The job once it has ended, through restarts like `watch`; raises `TimeoutError` after `timeout_s`."""
        until = time.monotonic() + timeout_s
        answer, patience = self._ask("GET", job_path(job_id)), Patience(patience_s)
        while not (job := self._service.read(JobView, answer)).status.ended:
            left = until - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"{job_id} is still {job.status} after {timeout_s} s.")
            try:
                answer, patience = self._changed(job_id, answer, within_s=min(left, LONG_POLL_S)), Patience(patience_s)
            except (NoServer, Unavailable) as away:
                patience.spend(away)
        return job

    def artifacts(self, job_id: str) -> list[ArtifactView]:
        """The files that a job made."""
        return self._service.read(ArtifactPage, self._ask("GET", job_path(job_id, "artifacts"))).data

    def download(self, job_id: str, folder: Path | str | None = None) -> list[Path]:
        """Fetch a job's files into `folder` (default: one named by the job), checked; returns where they lie."""
        home = Path(folder if folder is not None else job_id)
        files = self.artifacts(job_id)
        return [fetch(self._service, file, home) for file in files]

    def export(self, job_id: str, format: str) -> ArtifactView:  # noqa: A002  (its name on the wire)
        """The model of a succeeded job as `pt2`, `onnx` or `script`, or the curves of an ended one as `tensorboard`.

        Made when first asked for; `fetch` brings it.

        May be repeated. Raises `ExportRefused` for a model that cannot be exported, or where a package is missing.
        """
        asked = {"content": written({"format": format}), "headers": JSON_BODY, "timeout": EXPORT_S}
        return self._service.read(ArtifactView, self._ask("POST", job_path(job_id, "export"), **asked))

    def fetch(self, artifact: ArtifactView, folder: Path | str = ".") -> Path:
        """Fetch one file of a job into `folder`, checked; returns where it lies."""
        return fetch(self._service, artifact, Path(folder))

    def report(self, job_id: str) -> ReportView:
        """What the kept weights of a job that succeeded predict of the part held back; raises NotFound, WrongStatus."""
        return self._service.read(ReportView, self._ask("GET", job_path(job_id, "report")))

    def picture(self, job_id: str, figure: str | None = None, *, format: str = "svg") -> bytes:  # noqa: A002
        """A picture of a job's report, as `svg` or `png`; raises BadRequest for a figure that it has not."""
        asked = given({"figure": figure}, format=format)
        return self._ask("GET", job_path(job_id, "report"), params=asked).content

    def workers(self) -> list[WorkerView]:
        """The workers that are alive."""
        return self._service.read(WorkerPage, self._ask("GET", "/v1/workers")).data

    def catalog(self) -> CatalogView:
        """Every dataset, model, loss, optimizer, scheduler and metric, with its settings as JSON Schema."""
        return self._service.read(CatalogView, self._ask("GET", "/v1/catalog"))

    def _changed(self, job_id: str, known: httpx.Response, *, within_s: float) -> httpx.Response:
        """The job's next version, or the one known when there is none `within_s`."""
        unless = {"If-None-Match": known.headers.get("ETag", "")}
        answer = self._ask("GET", job_path(job_id), params={"wait": max(1, int(within_s))}, headers=unless)
        return known if answer.status_code == httpx.codes.NOT_MODIFIED else answer

    def _rows(self, path: str, *, after: int, key: str) -> Iterator[dict[str, Any]]:
        while True:
            page = self._service.read(
                Page[dict[str, Any]], self._ask("GET", path, params={"after": after, "limit": ROWS_PAGE})
            )
            yield from page.data
            if not page.has_more:
                return
            after = page.data[-1][key]

    def _ask(self, method: str, path: str, **request: Any) -> httpx.Response:
        return self._service.ask(method, path, **request)
