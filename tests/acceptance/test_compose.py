"""docker-compose.yml: what it must say, and a job through the very commands and variables that it starts."""

from __future__ import annotations

import re
import signal
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from core.job import Status
from core.settings import Settings
from tests.acceptance.composed import DOT_ENV, Missing, Natively, compose, required
from tests.acceptance.processes import HOUSE, free_port, wait_until
from tests.servers import a_postgres, a_redis
from trainwire.client import Client

REDIS_DATABASE = 11
DRAIN_MARGIN_S = 15
"""What a worker may need beside its runs' grace: children are killed, claims given back, Celery leaves."""
FILE = compose(DOT_ENV)
SERVICES: dict[str, Any] = FILE["services"]
OURS = ["migrate", "api", "worker", "worker-gpu"]
SERVING = [name for name in SERVICES if name != "migrate"]
SPEC = {"dataset": "iris", "model": "linear", "epochs": 3}


def test_the_services_are_all_there() -> None:
    assert set(SERVICES) == {*OURS, "redis", "postgres"}


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_can_harm_little(name: str) -> None:
    service = SERVICES[name]
    assert service["init"] is True
    assert service["read_only"] is True
    assert "/tmp" in service["tmpfs"]
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert "privileged" not in service
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["pids_limit"] > 0
    assert int(service["user"].partition(":")[0]) > 0
    assert not any(source.startswith(("/", ".")) for source in service["volumes"]), "no folder of the host"


@pytest.mark.parametrize("name", SERVING)
def test_what_serves_is_checked_and_gets_time_to_stop(name: str) -> None:
    service = SERVICES[name]
    assert service["healthcheck"]["test"]
    assert {"interval", "timeout", "retries"} <= set(service["healthcheck"])
    assert seconds(service["stop_grace_period"]) >= 10
    assert service["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", ["api", "worker", "worker-gpu"])
def test_nothing_starts_before_what_it_needs(name: str) -> None:
    assert {other: how["condition"] for other, how in SERVICES[name]["depends_on"].items()} == {
        "migrate": "service_completed_successfully",
        "postgres": "service_healthy",
        "redis": "service_healthy",
    }
    assert SERVICES["migrate"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    assert SERVICES["migrate"]["restart"] == "no"


@pytest.mark.parametrize("name", OURS)
def test_api_and_workers_are_one_image_and_share_the_artifacts(name: str) -> None:
    service = SERVICES[name]
    assert service["image"] == "trainwire:cpu"
    assert service["build"]["args"] == {"TORCH": "cpu", "TORCH_INDEX": "somewhere"}
    (volume,) = service["volumes"]
    source, _, target = volume.partition(":")
    assert source in FILE["volumes"]
    assert Path(service["environment"]["TRAINWIRE_ARTIFACTS"]).is_relative_to(target)
    assert service["environment"]["TRAINWIRE_DATABASE_URL"].endswith("@postgres:5432/trainwire")
    assert service["environment"]["TRAINWIRE_BROKER_URL"] == "redis://redis:6379/0"


def test_every_volume_has_a_name() -> None:
    used = {volume.partition(":")[0] for service in SERVICES.values() for volume in service["volumes"]}
    assert used == set(FILE["volumes"]) == {"artifacts", "postgres", "redis"}


def test_only_the_api_is_reached_and_only_from_this_machine() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert published == {"api": ["127.0.0.1:8000:8000"]}
    assert {name for name, service in SERVICES.items() if "outside" in service["networks"]} == {"api"}
    assert all("inside" in service["networks"] for service in SERVICES.values())
    assert FILE["networks"]["inside"] == {"internal": True}


@pytest.mark.parametrize("name", ["worker", "worker-gpu"])
def test_a_worker_has_shared_memory_and_time_to_drain(name: str) -> None:
    assert SERVICES[name]["shm_size"] == "1gb"
    assert seconds(SERVICES[name]["stop_grace_period"]) >= Settings().grace_s + DRAIN_MARGIN_S
    queue = "gpu" if name == "worker-gpu" else "cpu"
    assert SERVICES[name]["command"][:8] == f"celery -A worker.app worker -P threads -Q {queue}".split()


def test_the_gpu_worker_comes_on_demand_and_reserves_the_gpus() -> None:
    assert [name for name, service in SERVICES.items() if "profiles" in service] == ["worker-gpu"]
    assert SERVICES["worker-gpu"]["profiles"] == ["gpu"]
    (device,) = SERVICES["worker-gpu"]["deploy"]["resources"]["reservations"]["devices"]
    assert device == {"driver": "nvidia", "count": "all", "capabilities": ["gpu"]}


@pytest.mark.parametrize("name", sorted(DOT_ENV))
def test_a_value_that_is_missing_stops_compose_and_the_example_names_it(name: str) -> None:
    assert required() == set(DOT_ENV)
    with pytest.raises(Missing, match=rf"^{name}: \w"):
        compose({**DOT_ENV, name: ""})
    assert f"\n{name}=\n" in (HOUSE / ".env.example").read_text()


def test_the_image_asks_for_its_torch_and_runs_unprivileged() -> None:
    dockerfile = (HOUSE / "Dockerfile").read_text()
    assert re.findall(r"^ARG (.+)$", dockerfile, re.MULTILINE) == ["TORCH", "TORCH_INDEX"]
    assert '[ -z "$TORCH" ] || [ -z "$TORCH_INDEX" ]' in dockerfile
    assert re.findall(r"^USER (.+)$", dockerfile, re.MULTILINE) == ["10001"]
    assert re.findall(r"https?://\S+", dockerfile) == ["https://pytorch.org/get-started/locally/'"]


def test_a_build_without_its_torch_fails_with_what_to_say() -> None:
    guard = re.search(r"^RUN (if \[ -z .*?fi)$", (HOUSE / "Dockerfile").read_text(), re.MULTILINE | re.DOTALL)
    assert guard is not None
    for given, code in (({}, 1), ({"TORCH": "cpu"}, 1), ({"TORCH": "cpu", "TORCH_INDEX": "there"}, 0)):
        done = subprocess.run(["sh", "-c", guard[1]], env=given, capture_output=True, text=True, check=False)
        assert done.returncode == code
        assert ("--build-arg TORCH=" in done.stderr) is bool(code)


def test_the_build_gets_every_room() -> None:
    let_in = set((HOUSE / ".dockerignore").read_text().split())
    for name in (
        "api",
        "core",
        "examples",
        "migrations",
        "trainwire",
        "worker",
        "pyproject.toml",
        "README.md",
        "LICENSE",
    ):
        assert f"!{name}" in let_in
        assert (HOUSE / name).exists()


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """Every service of ours, started as the file says, on this machine's PostgreSQL and Redis."""
    folder = tmp_path_factory.mktemp("stack")
    (folder / "data").mkdir()
    with a_postgres() as database, a_redis(REDIS_DATABASE) as broker:
        port = free_port()
        natively = Natively(
            SERVICES,
            folder,
            {
                SERVICES["api"]["environment"]["TRAINWIRE_DATABASE_URL"]: database,
                SERVICES["api"]["environment"]["TRAINWIRE_BROKER_URL"]: broker,
                "/data": str(folder / "data"),
                "8000": str(port),
            },
        )
        yield from running(natively, port)


def running(natively: Natively, port: int) -> Iterator[Client]:
    assert natively.start("migrate").wait(timeout=60) == 0
    processes = {name: natively.start(name) for name in ("api", "worker", "worker-gpu")}
    try:
        wait_until(lambda: natively.is_healthy("api"))
        with Client(f"http://127.0.0.1:{port}", api_key=DOT_ENV["TRAINWIRE_API_KEY"]) as client:
            yield client
        for name in processes:
            wait_until(partial(natively.is_healthy, name))
    finally:
        for process in processes.values():
            process.send_signal(signal.SIGTERM)
        codes = {name: stopped(process, SERVICES[name]) for name, process in processes.items()}
    assert codes == dict.fromkeys(processes, 0)


@pytest.mark.timeout(180)
def test_a_job_goes_through_the_stack_that_the_file_describes(stack: Client, tmp_path: Path) -> None:
    job = stack.submit(SPEC)
    assert [event.data["epoch"] for event in stack.watch(job.id) if event.type == "epoch"] == [1, 2, 3]
    assert stack.job(job.id).status is Status.SUCCEEDED
    home = {path.name for path in stack.download(job.id, tmp_path)}
    assert home == {"model.safetensors", "model.json", "report.json"}


@pytest.mark.timeout(180)
def test_a_queue_leads_to_its_worker(stack: Client) -> None:
    for queue, worker in (("gpu", "worker-gpu"), ("cpu", "worker")):
        job = stack.wait(stack.submit({**SPEC, "resources": {"queue": queue}}).id, timeout_s=120)
        assert job.worker is not None
        assert job.worker.name.startswith(f"{worker}@")


def test_the_stack_asks_for_its_key(stack: Client) -> None:
    assert httpx.get(f"{stack.url}/v1/jobs").status_code == 401


def stopped(process: subprocess.Popen[bytes], service: dict[str, Any]) -> int:
    """The exit code, within the time that the file gives."""
    return process.wait(timeout=seconds(service["stop_grace_period"]))


def seconds(text: str) -> int:
    return int(text.removesuffix("s"))
