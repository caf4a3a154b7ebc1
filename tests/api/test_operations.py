"""What those who run the service ask, the docs without a network, and a process without torch."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable

from fastapi.testclient import TestClient

from core.views import CatalogView, WorkerPage
from tests.api.playing import WORKER, NodeFake, Play

Connect = Callable[..., TestClient]


def test_the_process_is_alive_and_says_what_it_is(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    about = client.get("/version").json()
    assert about["name"] == "trainwire"
    assert re.fullmatch(r"\d+\.\d+\.\d+.*", about["version"])


def test_ready_shows_the_slots_and_the_workers(connect: Connect, play: Play) -> None:
    play.store.enrol(WORKER)
    ready = connect(node=NodeFake(("cpu", "cuda:0"))).get("/readyz")

    assert ready.status_code == 200
    assert ready.json() == {
        "status": "ready",
        "workers": 1,
        "slots": [{"device": "cpu", "state": "warm"}, {"device": "cuda:0", "state": "warm"}],
    }


def test_the_workers_that_are_alive_are_listed(client: TestClient, play: Play) -> None:
    play.store.enrol(WORKER)
    job = play.running()

    (worker,) = WorkerPage.model_validate_json(client.get("/v1/workers").content).data
    assert (worker.name, worker.devices, worker.slots, worker.queues) == ("node-a", ["cpu"], 4, ["cpu"])
    assert worker.jobs == [job.id]
    assert worker.heartbeat_at is not None


def test_the_catalogue_has_every_part_with_its_schema(client: TestClient) -> None:
    answer = client.get("/v1/catalog")

    parts = CatalogView.model_validate_json(answer.content)
    assert {"digits", "moons"} <= {part.name for part in parts.datasets}
    mlp = next(part for part in parts.models if part.name == "mlp")
    assert "hidden" in mlp.settings["properties"]
    assert mlp.summary
    assert client.get("/v1/catalog", headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304


def test_prometheus_sees_jobs_watchers_and_requests(client: TestClient, play: Play) -> None:
    play.ended()
    play.queued()
    client.get("/v1/jobs")
    client.get("/nothing")
    text = client.get("/metrics").text

    assert 'trainwire_jobs{status="succeeded"} 1.0' in text
    assert 'trainwire_jobs{status="queued"} 1.0' in text
    assert 'trainwire_jobs{status="paused"} 0.0' in text
    assert "trainwire_watchers 0.0" in text
    assert 'handler="/v1/jobs"' in text
    assert "/nothing" not in text


def test_streams_have_no_latency(client: TestClient, play: Play) -> None:
    job = play.ended()
    client.get(f"/v1/jobs/{job.id}/events", headers={"Accept": "text/event-stream"})
    client.get(f"/v1/jobs/{job.id}/metrics")
    text = client.get("/metrics").text

    assert 'handler="/v1/jobs/{job_id}/metrics"' in text
    assert "/events" not in text


def test_a_probe_may_carry_parameters(client: TestClient) -> None:
    assert {client.get(f"{path}?t=1").status_code for path in ("/", "/healthz", "/readyz", "/metrics")} == {200}


def test_an_app_can_be_made_many_times(connect: Connect) -> None:
    assert [connect().get("/metrics").status_code for _ in range(3)] == [200] * 3


def test_the_docs_ask_no_other_host(client: TestClient) -> None:
    page = client.get("/docs")

    assert re.findall(r"(?:https?:)?//[\w.-]+", page.text) == []
    addresses = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(addresses) >= 3
    assert {client.get(address).status_code for address in addresses} == {200}
    assert "default-src 'self'" in page.headers["Content-Security-Policy"]


def test_the_api_holds_neither_torch_nor_sklearn() -> None:
    code = (
        "import sys, api.app, api.main, api.server; from core.catalog import catalog; catalog();"
        "from core.spec import parse_spec; parse_spec({'dataset': 'digits', 'model': 'cnn'});"
        "print([name for name in ('torch', 'sklearn', 'torchmetrics', 'worker') if name in sys.modules])"
    )

    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
