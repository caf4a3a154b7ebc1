"""An MLflow tracking server, by its REST API: the experiment, and the run of each job in it.

https://mlflow.org/docs/latest/api_reference/rest-api.html
"""

from __future__ import annotations

import logging
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from core.errors import BadRequest, Refused

JOB, SEQ = "trainwire.job", "trainwire.seq"
"""The tags that say whose run it is, and up to which event of its log it was forwarded."""
_TIMEOUT_S = 30.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 10.0
_AT_ONCE = 1_000
_EXISTS, _MISSING = "RESOURCE_ALREADY_EXISTS", "RESOURCE_DOES_NOT_EXIST"

log = logging.getLogger("trainwire")


class TrackingRefused(Refused):
    """The tracking server does not take this; `word` is its own for the reason."""

    def __init__(self, message: str, word: str) -> None:
        super().__init__(message)
        self.word = word


class _Unclear(Exception):
    """Whether it was done is not known."""


@dataclass(slots=True)
class Run:
    """A run as the server has it: `status` in its own words, forwarded up to the event `seq`."""

    id: str
    status: str
    seq: int = 0


class Token(httpx.Auth):
    """A bearer token."""

    def __init__(self, token: str) -> None:
        self._token = token

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """The request with it."""
        request.headers["Authorization"] = f"Bearer {self._token}"
        yield request


class Tracking:
    """One experiment of a server that may be away: every call is repeated until there is an answer.

    Raises BadRequest for an address that is none, and TrackingRefused for what the server will never take.
    """

    def __init__(self, url: str, *, experiment: str, auth: httpx.Auth | None = None) -> None:
        self._url = url
        try:
            self._http = httpx.Client(base_url=url, auth=auth, timeout=_TIMEOUT_S, follow_redirects=True)
        except (httpx.InvalidURL, ValueError) as error:
            raise BadRequest(f"{url!r} is no address of a tracking server: {error}.") from error
        if self._http.base_url.scheme not in ("http", "https"):
            raise BadRequest(f"{url!r} is no address of a tracking server: it begins with http:// or https://.")
        self._name = experiment
        self._experiment: str | None = None

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def runs(self) -> dict[str, Run]:
        """The runs of jobs that are there, by the jobs' ids."""
        return {job_id: run for found in self._pages() for job_id, run in [_run_of(found)] if job_id is not None}

    def create(self, job_id: str, *, name: str, start_ms: int) -> Run:
        """A new run for a job; where the answer is lost, the one that was made by it."""
        asked = {
            "experiment_id": self._there(),
            "run_name": name,
            "start_time": start_ms,
            "tags": _pairs({JOB: job_id, "mlflow.runName": name}),
        }
        while True:
            try:
                return _run_of(self._ask("POST", "runs/create", json=asked, may_repeat=False)["run"])[1]
            except _Unclear:
                if (made := self.runs().get(job_id)) is not None:
                    return made

    def log(
        self,
        run: Run,
        *,
        metrics: Sequence[Mapping[str, Any]] = (),
        params: Mapping[str, str] | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        """Enter these; what is entered twice is there once, where name, step, time and value are the same."""
        body = {"run_id": run.id, "metrics": list(metrics), "params": _pairs(params or {}), "tags": _pairs(tags or {})}
        self._ask("POST", "runs/log-batch", json=body)

    def update(self, run: Run, *, status: str, end_ms: int | None = None) -> None:
        """Say how the run stands."""
        ended = {} if end_ms is None else {"end_time": end_ms}
        self._ask("POST", "runs/update", json={"run_id": run.id, "status": status, **ended})
        run.status = status

    def _there(self) -> str:
        """The experiment's id; it is made where there is none."""
        if self._experiment is None:
            try:
                self._experiment = self._found()
            except TrackingRefused as missing:
                if missing.word != _MISSING:
                    raise
                self._experiment = self._made()
        return self._experiment

    def _found(self) -> str:
        told = self._ask("GET", "experiments/get-by-name", params={"experiment_name": self._name})["experiment"]
        if told.get("lifecycle_stage") == "deleted":
            raise BadRequest(f"The experiment {self._name!r} was deleted there: restore it, or name another.")
        return str(told["experiment_id"])

    def _made(self) -> str:
        try:
            return str(self._ask("POST", "experiments/create", json={"name": self._name})["experiment_id"])
        except TrackingRefused as refused:
            if refused.word != _EXISTS:  # somebody else made it at this moment
                raise
            return self._found()

    def _pages(self) -> Iterator[Mapping[str, Any]]:
        asked: dict[str, Any] = {"experiment_ids": [self._there()], "max_results": _AT_ONCE}
        while True:
            page = self._ask("POST", "runs/search", json=asked)
            yield from page.get("runs", [])
            if not page.get("next_page_token"):
                return
            asked["page_token"] = page["next_page_token"]

    def _ask(self, method: str, path: str, *, may_repeat: bool = True, **request: Any) -> dict[str, Any]:
        """The answer, whenever it comes; raises _Unclear where the request may have arrived and may not be repeated."""
        pause_s, is_told = _FIRST_PAUSE_S, False
        while True:
            try:
                answer = self._http.request(method, f"/api/2.0/mlflow/{path}", **request)
            except httpx.TransportError as error:
                if not may_repeat and not isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
                    raise _Unclear from error
                trouble = str(error) or type(error).__name__
            else:
                if answer.status_code not in (408, 429) and answer.status_code < httpx.codes.INTERNAL_SERVER_ERROR:
                    if is_told:
                        log.warning("The tracking server is back.")
                    return _told(answer, self._url)
                trouble = f"it answers {answer.status_code}"
            if not is_told:
                log.warning("The tracking server at %s is away (%s); trying again. No job waits.", self._url, trouble)
            is_told = True
            time.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)


def _told(answer: httpx.Response, url: str) -> dict[str, Any]:
    try:
        found: Any = answer.json()
    except ValueError:
        found = None
    if not isinstance(found, dict) or (answer.is_error and "error_code" not in found):
        raise BadRequest(f"What answers at {url} is no MLflow tracking server ({answer.status_code}).")
    if answer.is_error:
        raise TrackingRefused(f"The tracking server refuses: {found.get('message')}", str(found["error_code"]))
    return found


def _run_of(found: Mapping[str, Any]) -> tuple[str | None, Run]:
    info = found["info"]
    tags = {tag["key"]: tag["value"] for tag in found.get("data", {}).get("tags", [])}
    seq = tags.get(SEQ, "0")
    return tags.get(JOB), Run(info["run_id"], info["status"], int(seq) if seq.isdecimal() else 0)


def _pairs(values: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in values.items()]
