"""The road to a service: a request, its answer as a view or an error, and writes that are neither lost nor doubled."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
from pydantic import ValidationError

from core.errors import BadRequest, NoServer, Unavailable
from core.views import Page, View
from trainwire.address import key_header, no_server, service_url, transport
from trainwire.refusals import refusal
from trainwire.watching import Patience

LONG_POLL_S = 30.0
INSIST_S = 15.0
"""How long a write is repeated while no answer to it arrives: a service restarts within that."""
JSON_BODY = {"Content-Type": "application/json"}
UNKNOWN = "Whether it was done is not known; `trainwire {}` shows it."

V = TypeVar("V", bound=View)
T = TypeVar("T")


class Connection:
    """An HTTP client of one service; what it raises are the errors of `core.errors`."""

    def __init__(self, url: str | None, *, api_key: str | None, timeout_s: float) -> None:
        self.url = service_url(url)
        self.key = key_header(api_key)
        self.http = httpx.Client(
            base_url=self.url,
            headers=self.key,
            timeout=httpx.Timeout(timeout_s, read=LONG_POLL_S + timeout_s),
            **transport(self.url),
        )

    def ask(self, method: str, path: str, **request: Any) -> httpx.Response:
        """The answer to one request."""
        try:
            answer = self.http.request(method, path, **request)
        except httpx.RequestError as error:
            raise no_server(self.url, error) from error
        if answer.is_error:
            raise refusal(answer.status_code, answer.content)
        return answer

    def insist(self, method: str, path: str, **request: Any) -> httpx.Response:
        """The answer to a request that may arrive twice: asked again when the connection broke before it came.

        Raises NoServer at once where nobody listens, since nothing was sent then.
        """
        patience: Patience | None = None
        while True:
            try:
                return self.ask(method, path, **request)
            except (NoServer, Unavailable) as error:
                if patience is None and not _may_have_arrived(error):
                    raise
                error.hint = UNKNOWN.format("datasets list" if path.startswith("/v1/datasets") else "jobs")
                patience = patience or Patience(INSIST_S)
                patience.spend(error)

    def create(self, view: type[V], path: str, body: Mapping[str, Any], *, key: str | None = None) -> V:
        """What a POST that makes something answers; `key` (default: one of its own) keeps it from being made twice."""
        headers = {**JSON_BODY, "Idempotency-Key": key or str(uuid.uuid4())}
        return self.read(view, self.insist("POST", path, content=written(body), headers=headers))

    def read(self, view: type[V], answer: httpx.Response) -> V:
        """The answer as a `view`; NoServer when something else than Trainwire gave it."""
        try:
            return view.model_validate_json(answer.content)
        except ValidationError as error:
            raise no_server(self.url, "what answers there is something else") from error

    def listed(
        self, page: type[Page[T]], path: str, filters: Mapping[str, Any], *, limit: int | None, at_once: int
    ) -> Iterator[T]:
        """The entries of a list, asked for page by page; all of them without a `limit`."""
        left, after = limit, None
        while left is None or left > 0:
            asked = given(filters, after=after, limit=min(left or at_once, at_once))
            found = self.read(page, self.ask("GET", path, params=asked))
            yield from found.data
            after, left = found.next, None if left is None else left - len(found.data)
            if not found.has_more:
                return


def job_path(job_id: str, *below: str) -> str:
    """A job's path; an id that is none cannot lead elsewhere."""
    return _path("jobs", job_id, *below)


def dataset_path(dataset_id: str, *below: str) -> str:
    """A dataset's path, in the same way."""
    return _path("datasets", dataset_id, *below)


def given(values: Mapping[str, Any], **others: Any) -> dict[str, Any]:
    """Those of the values that are not None."""
    return {name: value for name, value in {**values, **others}.items() if value is not None}


def written(body: Mapping[str, Any]) -> bytes:
    """The body as JSON; NaN and infinity go as they are, for the service names the place of each."""
    try:
        return json.dumps(dict(body)).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise BadRequest(f"The spec cannot be written as JSON: {error}.") from error


def _path(kind: str, its_id: str, *below: str) -> str:
    return "/".join(["/v1", kind, quote(its_id, safe="").replace(".", "%2E"), *below])


def _may_have_arrived(error: NoServer | Unavailable) -> bool:
    """Whether the service may have done what was asked although no answer says so."""
    never_sent = httpx.ConnectError | httpx.ConnectTimeout | httpx.UnsupportedProtocol
    return not isinstance(error.__cause__, never_sent)
