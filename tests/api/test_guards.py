"""Who may come in: the key on every route but a literal few, known hosts, and bodies of a sane size."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from fastapi.testclient import TestClient

from api.pages.assets import PLOTLY
from tests.api.playing import SPEC

Connect = Callable[..., TestClient]

KEY = "tw-test-key"
BEARER = {"Authorization": f"Bearer {KEY}"}
PUBLIC = {"/", "/help", "/compare", "/new", "/docs", "/openapi.json", "/healthz", "/readyz", "/metrics", "/version"}
ASSETS = {"/static/jobs.js", "/static/style.css", "/static/docs/swagger-ui-bundle.js", "/static/docs/swagger-ui.css"}
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")


@pytest.fixture
def locked(connect: Connect) -> TestClient:
    return connect(api_key=KEY)


def _paths(client: TestClient) -> Iterator[str]:
    """Every path there is, mounts and hidden ones included, and some that are not."""
    yield from (route.path for route in client.app.state.routes)  # type: ignore[attr-defined]
    yield from (getattr(route, "path", "") for route in client.app.routes)  # type: ignore[attr-defined]
    yield from ("/nothing", "/v1", "/v1/", "/v1/jobs/", "//v1/jobs", "/static/../v1/jobs", "/docs/", "/metrics/x")


def test_without_the_key_nothing_but_the_public_paths_answers(locked: TestClient) -> None:
    job_id = f"job_{'0' * 32}"
    names = {"job_id": job_id, "name": "model.json", "dataset_id": f"ds_{'0' * 32}", "slug": "data"}
    paths = {path.format(**names) for path in _paths(locked) if path}
    assert {f"/v1/jobs/{job_id}/events", "/v1/jobs", "/v1/datasets", "/v1/workers"} <= paths

    opened = set()
    for path in paths:
        answers = {method: locked.request(method, path).status_code for method in METHODS}
        if set(answers.values()) != {401}:
            opened.add(path)
    assert opened == PUBLIC | {"/static/docs", PLOTLY, f"/jobs/{job_id}", "/help/data", "/help/pictures/model.json"}


def test_public_paths_and_assets_need_no_key(locked: TestClient) -> None:
    assert {path: locked.get(path).status_code for path in PUBLIC | ASSETS} == dict.fromkeys(PUBLIC | ASSETS, 200)


def test_a_refusal_says_how_to_send_the_key(locked: TestClient) -> None:
    answer = locked.get("/v1/jobs")

    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["X-Request-ID"] == answer.json()["request_id"]
    assert "Authorization: Bearer" in answer.json()["detail"]


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Bearer wrong", f"Basic {KEY}", KEY, "Bearer \u00e9"])
def test_a_wrong_key_is_refused(locked: TestClient, header: str) -> None:
    assert locked.get("/v1/jobs", headers={b"Authorization": header.encode("latin-1")}).status_code == 401


def test_the_key_opens_everything(locked: TestClient) -> None:
    assert locked.get("/v1/jobs", headers=BEARER).status_code == 200
    assert locked.post("/v1/jobs", json=SPEC, headers={"authorization": f"bearer {KEY}"}).status_code == 202


@pytest.mark.parametrize("name", ["api_key", "key", "access_token", "authorization"])
def test_a_key_in_the_query_string_is_never_read(locked: TestClient, name: str) -> None:
    assert locked.get(f"/v1/jobs?{name}={KEY}").status_code == 401


@pytest.mark.parametrize(
    "host", ["evil.test", "localhost.evil.test", "127.0.0.1.evil.test", "10.0.0.1", "", "[", "a b"]
)
def test_a_foreign_host_is_refused_everywhere(client: TestClient, host: str) -> None:
    for path in ("/v1/jobs", "/healthz", "/", "/nothing", "/static/jobs.js", f"/v1/jobs/job_{'0' * 32}/events"):
        answer = client.get(path, headers={"Host": host, "Accept": "text/event-stream"})

        assert answer.status_code == 400
        assert answer.json()["code"] == "foreign_host"


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:8000", "127.0.0.1:1", "127.8.8.8", "[::1]:8000", "train.test"]
)
def test_loopback_names_and_allowed_hosts_are_known(connect: Connect, host: str) -> None:
    client = connect(allowed_hosts=("Train.test",))

    assert client.get("/healthz", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("origin", ["http://evil.test", "null", "http://localhost:9", "https://testserver.evil.test"])
def test_another_sites_page_cannot_change_anything(client: TestClient, origin: str) -> None:
    answer = client.post("/v1/jobs", json=SPEC, headers={"Origin": origin})

    assert answer.status_code == 403
    assert client.get("/v1/jobs").json()["data"] == []


def test_our_own_page_may_change_things(client: TestClient) -> None:
    assert client.post("/v1/jobs", json=SPEC, headers={"Origin": "http://testserver"}).status_code == 202


def test_a_body_over_the_limit_is_refused_announced_or_not(client: TestClient) -> None:
    json = {"Content-Type": "application/json"}
    announced = client.post("/v1/jobs", content=b" " * 1_048_577, headers=json)
    streamed = client.post("/v1/jobs", content=iter([b" " * 65536] * 17), headers=json)

    for answer in (announced, streamed):
        assert answer.status_code == 413
        assert answer.json()["code"] == "body_too_large"
        assert answer.headers["X-Request-ID"] == answer.json()["request_id"]


def test_a_large_body_is_refused_where_none_is_read(client: TestClient) -> None:
    assert client.request("GET", "/healthz", content=b" " * 1_048_577).status_code == 413
    assert client.post("/nothing", content=b" " * 1_048_577).status_code == 413


def test_a_body_at_the_limit_is_read(client: TestClient) -> None:
    answer = client.post("/v1/jobs", content=b" " * 1_048_576, headers={"Content-Type": "application/json"})

    assert answer.status_code == 400
