"""Jobs as a terminal lists them."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest
from rich.console import Console

from core.job import Reason, Status
from core.views import EpochView, JobView, LinksView, QueueView
from trainwire.figures import jobs_table

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
