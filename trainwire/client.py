"""The service from Python: submit a spec, watch the losses arrive, take the model home."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import quote

import httpx
from pydantic import ValidationError

from core import wire
from core.errors import BadRequest, NoServer, Unavailable
from core.views import ArtifactPage, ArtifactView, CatalogView, JobPage, JobView, Page, View
from trainwire.address import key_header, no_server, service_url, transport
from trainwire.downloading import fetch
from trainwire.refusals import refusal
from trainwire.watching import Event, Patience, follow

ROWS_PAGE = 1000
JOBS_PAGE = 100
LONG_POLL_S = 30.0

V = TypeVar("V", bound=View)


class Client:
    """A Trainwire service, reached over HTTP.

    `url` defaults to `TRAINWIRE_URL`, else to the service on `./trainwire-data`, else to port 8000 of this machine;
    `api_key` to `TRAINWIRE_API_KEY`. The methods raise the errors of `core.errors`: `SpecRefused` (with all its
    `problems`), `NotFound`, `WrongStatus`, `NotAllowed`, `Unavailable`, `NoServer`; `problem` holds the answer's body.
    """

    def __init__(self, url: str | None = None, *, api_key: str | None = None, timeout_s: float = 30.0) -> None:
        self.url = service_url(url)
        self._key = key_header(api_key)
        self._http = httpx.Client(
            base_url=self.url,
            headers=self._key,
            timeout=httpx.Timeout(timeout_s, read=LONG_POLL_S + timeout_s),
            **transport(self.url),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def submit(self, spec: Mapping[str, Any]) -> JobView:
        """Queue a job; raises `SpecRefused` with every problem of the spec."""
        headers = {"Content-Type": "application/json"}
        return self._read(JobView, self._ask("POST", "/v1/jobs", content=_body(spec), headers=headers))

    def job(self, job_id: str) -> JobView:
        """How a job stands."""
        return self._read(JobView, self._ask("GET", _path(job_id)))

    def jobs(
        self, *, status: str | None = None, name: str | None = None, limit: int | None = None
    ) -> Iterator[JobView]:
        """The jobs, newest first; all of them without a `limit`."""
        filters = {"status": status, "name": name}
        left, after = limit, None
        while left is None or left > 0:
            asked = _given(filters, after=after, limit=min(left or JOBS_PAGE, JOBS_PAGE))
            page = self._read(JobPage, self._ask("GET", "/v1/jobs", params=asked))
            yield from page.data
            after, left = page.next, None if left is None else left - len(page.data)
            if not page.has_more:
                return

    def cancel(self, job_id: str) -> JobView:
        """End a job: at once while it waits, else within two seconds; may be repeated."""
        return self._read(JobView, self._ask("POST", _path(job_id, "cancel")))

    def metrics(self, job_id: str, *, after: int = 0) -> list[dict[str, Any]]:
        """The epoch rows behind epoch `after`, NaN and infinity as they were."""
        return [wire.exact(row) for row in self._rows(_path(job_id, "metrics"), after=after, key="epoch")]

    def events(self, job_id: str, *, after: int = 0) -> list[Event]:
        """The stored events behind event `after`."""
        return [Event.of(row) for row in self._rows(_path(job_id, "events"), after=after, key="seq")]

    def watch(self, job_id: str, *, after: int = 0, patience_s: float = 600.0) -> Iterator[Event]:
        """The events behind event `after` as they happen, each once and in order, until `end`.

        Connects again and resumes by itself when the stream breaks off, also while the service restarts (a warning of
        the logger `trainwire` says so, once); raises `NoServer` when nothing answers at first, or for `patience_s`
        later on.
        """
        return follow(self.url, _path(job_id, "events"), headers=self._key, after=after, patience_s=patience_s)

    def wait(self, job_id: str, *, timeout_s: float = float("inf"), patience_s: float = 600.0) -> JobView:
        """The job once it has ended, through restarts like `watch`; raises `TimeoutError` after `timeout_s`."""
        until = time.monotonic() + timeout_s
        answer, patience = self._ask("GET", _path(job_id)), Patience(patience_s)
        while not (job := self._read(JobView, answer)).status.ended:
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
        return self._read(ArtifactPage, self._ask("GET", _path(job_id, "artifacts"))).data

    def download(self, job_id: str, folder: Path | str | None = None) -> list[Path]:
        """Fetch a job's files into `folder` (default: one named by the job), checked; returns where they lie."""
        home = Path(folder if folder is not None else job_id)
        files = self.artifacts(job_id)
        try:
            home.mkdir(parents=True, exist_ok=True)
            return [fetch(self._http, file, home) for file in files]
        except httpx.RequestError as error:
            raise no_server(self.url, error) from error
        except OSError as error:
            raise BadRequest(f"{home} cannot be written: {error.strerror}.") from error

    def catalog(self) -> CatalogView:
        """Every dataset, model, loss, optimizer, scheduler and metric, with its settings as JSON Schema."""
        return self._read(CatalogView, self._ask("GET", "/v1/catalog"))

    def _changed(self, job_id: str, known: httpx.Response, *, within_s: float) -> httpx.Response:
        """The job's next version, or the one known when there is none `within_s`."""
        unless = {"If-None-Match": known.headers.get("ETag", "")}
        answer = self._ask("GET", _path(job_id), params={"wait": max(1, int(within_s))}, headers=unless)
        return known if answer.status_code == httpx.codes.NOT_MODIFIED else answer

    def _rows(self, path: str, *, after: int, key: str) -> Iterator[dict[str, Any]]:
        while True:
            page = self._read(Page[dict[str, Any]], self._ask("GET", path, params={"after": after, "limit": ROWS_PAGE}))
            yield from page.data
            if not page.has_more:
                return
            after = page.data[-1][key]

    def _ask(self, method: str, path: str, **request: Any) -> httpx.Response:
        try:
            answer = self._http.request(method, path, **request)
        except httpx.RequestError as error:
            raise no_server(self.url, error) from error
        if answer.is_error:
            raise refusal(answer.status_code, answer.content)
        return answer

    def _read(self, view: type[V], answer: httpx.Response) -> V:
        """The answer as a `view`; NoServer when something else than Trainwire gave it."""
        try:
            return view.model_validate_json(answer.content)
        except ValidationError as error:
            raise no_server(self.url, "what answers there is something else") from error


def _path(job_id: str, *below: str) -> str:
    """A job's path; an id that is none cannot lead elsewhere."""
    return "/".join(["/v1/jobs", quote(job_id, safe="").replace(".", "%2E"), *below])


def _body(spec: Mapping[str, Any]) -> bytes:
    """The spec as JSON; NaN and infinity go as they are, for the service names the place of each."""
    try:
        return json.dumps(dict(spec)).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise BadRequest(f"The spec cannot be written as JSON: {error}.") from error


def _given(filters: Mapping[str, Any], **others: Any) -> dict[str, Any]:
    return {name: value for name, value in {**filters, **others}.items() if value is not None}
