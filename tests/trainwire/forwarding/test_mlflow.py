"""`trainwire mlflow` against a real tracking server: every epoch once, through the death of either side."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.acceptance.processes import Up, command, environment, free_port, trainwire, up, wait_until
from trainwire.client import Client

SPEC: dict[str, Any] = {
    "name": "digits forwarded",
    "dataset": "digits",
    "model": {"name": "mlp", "hidden": [8]},
    "labels": {"team": "a"},
    "epochs": 3,
    "split": {"validation": 0.2, "test": 0.2},
}
LONG: dict[str, Any] = {**SPEC, "model": {"name": "mlp", "hidden": [512]}, "batch_size": 8, "epochs": 100_000}


class Server:
    """A real `mlflow server`, which may die and come back."""

    def __init__(self, folder: Path) -> None:
        self.url = f"http://127.0.0.1:{free_port()}"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        store = f"sqlite:///{self._folder / 'mlflow.db'}"
        where = ["--host", "127.0.0.1", "--port", self.url.rpartition(":")[2], "--workers", "1"]
        stores = ["--backend-store-uri", store, "--default-artifact-root", str(self._folder)]
        # without the processes for its own jobs, which take longer to start than the server
        quiet = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
        with (self._folder / "mlflow.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "mlflow", "server", *where, *stores],
                env={**os.environ, **quiet},
                stdout=log,
                stderr=log,
                process_group=0,
            )
        wait_until(self._answers)

    def kill(self) -> None:
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(timeout=30)
            self._process = None

    def ask(self, path: str, **params: Any) -> dict[str, Any]:
        answer = httpx.get(f"{self.url}/api/2.0/mlflow/{path}", params=params, timeout=30)
        return dict(answer.raise_for_status().json())

    def runs(self) -> dict[str, dict[str, Any]]:
        """The runs by the ids of their jobs; each job has one."""
        experiment = self.ask("experiments/get-by-name", experiment_name="trainwire")["experiment"]["experiment_id"]
        asked = {"experiment_ids": [experiment], "max_results": 1_000}
        answer = httpx.post(f"{self.url}/api/2.0/mlflow/runs/search", json=asked, timeout=30)
        found = answer.raise_for_status().json().get("runs", [])
        jobs = [pairs(run["data"]["tags"])["trainwire.job"] for run in found]
        assert len(jobs) == len(set(jobs))
        return dict(zip(jobs, found, strict=True))

    def curve(self, run: dict[str, Any] | None, name: str) -> list[tuple[int, float]]:
        """The steps and values of a metric; none of a run that is not there yet."""
        if run is None:
            return []
        asked = {"run_id": run["info"]["run_id"], "metric_key": name, "max_results": 20_000}
        rows = self.ask("metrics/get-history", **asked).get("metrics", [])
        return [(int(row["step"]), float(row["value"])) for row in sorted(rows, key=lambda row: int(row["step"]))]

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/health", timeout=5).status_code == httpx.codes.OK
        except httpx.TransportError:
            return False


def pairs(found: list[dict[str, str]]) -> dict[str, str]:
    return {one["key"]: one["value"] for one in found}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    made = Server(tmp_path_factory.mktemp("mlflow"))
    try:
        made.start()
        yield made
    finally:
        made.kill()


@contextmanager
def forwarding(service: Up, server: Server) -> Iterator[subprocess.Popen[str]]:
    """`trainwire mlflow` at work."""
    asked = [*command(), "mlflow", server.url, "--url", service.url]
    with subprocess.Popen(asked, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as one:
        try:
            yield one
        finally:
            one.kill()


def test_a_job_is_a_run_that_grows_while_it_trains(server: Server, tmp_path: Path) -> None:
    with up(tmp_path / "data") as service, Client(service.url) as client:
        before = client.wait(client.submit(SPEC).id, timeout_s=60)
        with forwarding(service, server) as told:
            long = client.submit(LONG)
            wait_until(lambda: bool(server.curve(known(server).get(long.id), "train_loss")))
            client.cancel(long.id)
            client.wait(long.id, timeout_s=60)
            assert told.stdout is not None
            for line in told.stdout:
                if line.startswith(f"{long.id} cancelled"):
                    break
        runs = server.runs()
        same(server, runs, client, {before.id: "FINISHED", long.id: "KILLED"})
        found = runs[before.id]["data"]
        params, tags = pairs(found["params"]), pairs(found["tags"])
        assert (params["model.name"], params["model.hidden"], params["epochs"]) == ("mlp", "[8]", "3")
        assert (tags["label.team"], tags["mlflow.note.content"]) == ("a", f"{service.url}/jobs/{before.id}")
        assert before.test is not None
        assert server.curve(runs[before.id], "test_loss") == [(0, before.test.loss)]
        again = trainwire("mlflow", server.url, "--once", "--url", service.url)
        assert (again.returncode, again.stdout) == (0, ""), again.stderr
        assert server.runs() == runs


@pytest.mark.full
def test_no_job_waits_for_a_server_that_dies_and_no_epoch_is_lost_or_doubled(server: Server, tmp_path: Path) -> None:
    with up(tmp_path / "data") as service, Client(service.url) as client:
        with forwarding(service, server):
            long = client.submit(LONG)
            wait_until(lambda: bool(server.curve(known(server).get(long.id), "train_loss")))
            server.kill()
            there = len(client.metrics(long.id))
            wait_until(lambda: len(client.metrics(long.id)) > there + 2)
            server.start()
            wait_until(lambda: len(server.curve(server.runs()[long.id], "train_loss")) > there + 2)
        client.cancel(long.id)
        client.wait(long.id, timeout_s=60)
        done = trainwire("mlflow", server.url, "--once", "--url", service.url)
        assert (done.returncode, done.stdout) == (0, f"{long.id} cancelled: {long.name}\n"), done.stderr
        same(server, server.runs(), client, {long.id: "KILLED"})


def same(server: Server, runs: dict[str, dict[str, Any]], client: Client, ended: dict[str, str]) -> None:
    """Each of the jobs is a run that ended so, with every epoch of it once."""
    for job_id, status in ended.items():
        run, rows = runs[job_id], client.metrics(job_id)
        assert (run["info"]["status"], run["info"]["run_name"]) == (status, client.job(job_id).name)
        for name in ("train_loss", "val_accuracy", "lr"):
            assert server.curve(run, name) == [(row["epoch"], row[name]) for row in rows]


def known(server: Server) -> dict[str, dict[str, Any]]:
    """Nothing while there is no experiment yet."""
    try:
        return server.runs()
    except httpx.HTTPStatusError:
        return {}


@pytest.mark.full
def test_numbers_that_are_none_are_kept_as_such(server: Server, tmp_path: Path) -> None:
    with up(tmp_path / "data") as service, Client(service.url) as client:
        worse = {**SPEC, "lr": 1e6, "optimizer": "sgd", "split": {"validation": 0}}
        job = client.wait(client.submit(worse).id, timeout_s=60)
        assert (job.status, job.status_reason) == ("failed", "diverged")
        assert trainwire("mlflow", server.url, "--once", "--url", service.url).returncode == 0
        run = server.runs()[job.id]
        assert run["info"]["status"] == "FAILED"
        ((step, value),) = server.curve(run, "train_loss")[-1:]
        assert (step, math.isfinite(client.metrics(job.id)[-1]["train_loss"])) == (step, False)
        assert math.isnan(value) or abs(value) > 1e300


def test_an_address_without_a_tracking_server_is_told(service: Up) -> None:
    for address, words in (("ftp://x", "begins with http"), (service.url, "no MLflow tracking server")):
        done = trainwire("mlflow", address, "--once", "--url", service.url)
        assert (done.returncode, words in done.stderr) == (2, True), done.stderr
