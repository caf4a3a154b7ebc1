"""Jobs as a terminal lists them."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest
from rich.console import Console, RenderableType

from core.checkpoint import Occasion
from core.job import Reason, Status
from core.sentences import size
from core.views import (
    CheckpointView,
    EpochView,
    ErrorView,
    HeldOutView,
    JobView,
    LinksView,
    MemoryView,
    ParentView,
    QueueView,
)
from trainwire.figures import checkpoints_table, job_page, jobs_table

JOB_ID = "job_" + 32 * "a"


@pytest.mark.parametrize("width", [80, 100, 120, 160])
def test_a_listed_job_has_its_whole_id_on_one_line(width: int) -> None:
    header, line = listed(width).splitlines()
    assert header.split()[0] == "id"
    assert line.startswith(JOB_ID)
    assert len(line) <= width
    assert ("cancelled_by_user" in line) is (width >= 100)
    assert ("train_loss" in line) is (width >= 120)
    assert "100/2000" in line
    assert "digits" in line


def test_a_page_tells_where_a_job_comes_from_and_why_it_is_not_exact() -> None:
    changes = {"parent": ParentView(id="job_1", epoch=7), "bit_exact": False, "bit_exact_reason": "Other [torch]."}
    page = printed(job_page(a_job().model_copy(update=changes)))
    assert "goes on" in page
    assert "behind epoch 7 of job_1" in page
    assert "bit-exact  no: Other [torch]." in page
    assert "bit-exact" not in printed(job_page(a_job()))


def test_a_page_tells_what_the_run_took() -> None:
    memory = MemoryView(
        weights_bytes=38_000, gradients_bytes=38_000, optimizer_bytes=76_016, peak_bytes=3 * 10**8, baseline_bytes=10**8
    )
    page = printed(job_page(a_job().model_copy(update={"memory": memory})))
    assert "weights 38.0 kB, gradients 38.0 kB, optimizer 76.0 kB; peak 300.0 MB, 100.0 MB of it" in page
    assert "memory" not in printed(job_page(a_job()))


def test_a_page_tells_what_the_run_found() -> None:
    page = printed(job_page(a_job().model_copy(update={"resolved": {"lr": 0.0123, "batch_size": 256}})))
    assert "found    lr 0.0123  batch_size 256" in page
    assert "found" not in printed(job_page(a_job()))


def test_the_error_of_a_job_that_waits_is_its_last_one() -> None:
    error = ErrorView(code="killed_by_signal", message="The run was killed by SIGKILL.")
    waits = a_job().model_copy(update={"status": Status.QUEUED, "error": error})
    assert "last error  The run was killed by SIGKILL." in printed(job_page(waits))
    ended = waits.model_copy(update={"status": Status.FAILED})
    assert "last error" not in printed(job_page(ended))


def test_checkpoints_are_listed_with_where_they_stand() -> None:
    one = CheckpointView(
        id="ckpt_1",
        epoch=3,
        step=12,
        occasion=Occasion.TIME,
        attempt=2,
        bytes=2_340_000,
        files=[],
        created_at=datetime.now(UTC),
    )
    header, line = printed(checkpoints_table([one])).splitlines()
    assert header.split() == ["id", "epoch", "step", "taken", "at", "attempt", "size", "age"]
    assert line.split() == ["ckpt_1", "3", "12", "time", "2", "2.3", "MB", "0", "s"]


@pytest.mark.parametrize(("count", "text"), [(0, "0 B"), (999, "999 B"), (1_500, "1.5 kB"), (3_200_000_000, "3.2 GB")])
def test_sizes_are_told_in_a_person_s_units(count: int, text: str) -> None:
    assert size(count) == text


def test_the_page_of_a_job_shows_its_test_figures() -> None:
    test = HeldOutView.model_validate({"loss": 0.25, "accuracy": 0.875})
    lines = printed(job_page(a_job().model_copy(update={"test": test}))).splitlines()
    assert ["test", "loss", "0.2500", "accuracy", "0.8750"] in [line.split() for line in lines]
    assert not any(line.startswith("test") for line in printed(job_page(a_job())).splitlines())


def printed(page: RenderableType) -> str:
    console = Console(file=io.StringIO(), width=120, color_system=None)
    console.print(page)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def listed(width: int) -> str:
    console = Console(file=io.StringIO(), width=width, color_system=None)
    console.print(jobs_table([a_job()], width=width))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def a_job() -> JobView:
    epoch = EpochView(epoch=100, train_loss=0.25, val_loss=0.5)
    return JobView(
        id=JOB_ID,
        name="digits-mlp-with-a-long-name",
        status=Status.CANCELLED,
        status_reason=Reason.CANCELLED_BY_USER,
        spec={"epochs": 2000},
        seed=0,
        attempt=1,
        queue=QueueView(),
        latest=epoch,
        best=epoch,
        labels={},
        created_at=datetime.now(UTC),
        transitions=[],
        links=LinksView(self="", events="", metrics="", logs="", artifacts="", cancel=""),
    )
