"""The package of `examples/plugin`: installed as anyone's own would be, found, trained with, and missed."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from core.job import Status
from tests.acceptance.processes import HOUSE, environment, trainwire, up, wait_until
from trainwire.client import Client

PLUGIN = HOUSE / "examples" / "plugin"
SPEC: dict[str, Any] = json.loads((PLUGIN / "spec.json").read_text())


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the package lies, built and installed without a network."""
    source, target = tmp_path_factory.mktemp("source") / "plugin", tmp_path_factory.mktemp("installed")
    shutil.copytree(PLUGIN, source)
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-index", "--no-deps", "--no-build-isolation"]
    done = subprocess.run([*pip, "--target", target, source], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return target


def _beside(*folders: Path) -> dict[str, str]:
    return {"PYTHONPATH": ":".join(map(str, (HOUSE, *folders)))}


def _names(client: Client, section: str) -> list[str]:
    return [entry.name for entry in getattr(client.catalog(), section)]


def _long(client: Client) -> str:
    """A job that is under way, and far from its end."""
    job = client.submit({**SPEC, "epochs": 100_000, "dataset": {"name": "waves", "samples": 30}})
    wait_until(lambda: client.job(job.id).progress is not None and client.job(job.id).latest is not None)
    return job.id


def test_its_parts_are_in_the_catalogue_and_train(installed: Path, tmp_path: Path) -> None:
    with up(tmp_path, env=_beside(installed)) as service, Client(service.url) as client:
        assert "waves" in _names(client, "datasets")
        assert "fourier" in _names(client, "models")
        assert "signum" in _names(client, "optimizers")
        job = client.wait(client.submit(SPEC).id)
        assert (job.status, job.seed) == (Status.SUCCEEDED, 0)
        assert job.latest is not None
        assert (job.latest.model_extra or {})["val_accuracy"] > 0.95


def test_the_doctor_tells_of_it(installed: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken-1.0.dist-info"
    broken.mkdir()
    (broken / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
    (broken / "entry_points.txt").write_text("[trainwire.parts]\nhalf = nowhere_to_be_found\n")
    done = trainwire("doctor", "--json", "--data", str(tmp_path / "none"), env=_beside(installed, tmp_path))
    told = [one for one in json.loads(done.stdout)["checks"] if one["name"] == "plugin"]
    assert {one["seen"]: one["verdict"] for one in told} == {
        "waves, of trainwire-waves 1.0": "ok",
        "half, of broken 1.0, is left out: ModuleNotFoundError: No module named 'nowhere_to_be_found'": "broken",
    }


@pytest.mark.full
def test_a_worker_without_it_ends_the_job_and_says_what_is_missing(installed: Path, tmp_path: Path) -> None:
    with up(tmp_path, env=_beside(installed)) as service, Client(service.url) as client:
        job = _long(client)
    with up(tmp_path, env=_beside()) as service, Client(service.url) as client:
        ended = client.wait(job)
        assert (ended.status, ended.status_reason) == (Status.FAILED, "invalid_spec")
        assert ended.error is not None
        assert '"waves" is not a known dataset' in ended.error.message
        assert ended.error.param == "/dataset/name"
        assert "plugins" in (ended.error.hint or "")
        assert client.wait(client.submit({"dataset": "iris", "model": "linear", "epochs": 1}).id).status == "succeeded"


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"model": "fourir"}, 'Did you mean "fourier"?'),
        ({"optimizer": {"name": "signum", "momentum": 2}}, "/optimizer/momentum: 2 is not allowed here"),
    ],
)
def test_its_parts_are_judged_like_any_other(installed: Path, changed: dict[str, Any], told: str) -> None:
    code = "import json, sys; from core.spec import parse_spec; parse_spec(json.load(sys.stdin))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=json.dumps({**SPEC, **changed}),
        env=environment(_beside(installed)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert "SpecRefused" in done.stderr
    assert told in done.stderr
