"""The curves of several jobs, as columns."""

from __future__ import annotations

from pydantic import Field

from core.job import Status
from core.views.job import NonFinite
from core.views.page import View


class CurvesView(View):
    """One job's curves: the numbers of its epochs and, as long, each figure's values.

    A number that JSON cannot hold is null, and named under `nonfinite` by its figure and epoch; one that is not there
    is null alone.
    """

    job: str
    status: Status
    epochs: list[int]
    figures: dict[str, list[float | None]]
    nonfinite: dict[str, dict[str, NonFinite]] = Field(default_factory=dict)


class CurvesList(View):
    """The curves of the jobs that were named, in their order; those that were deleted are left out."""

    data: list[CurvesView]
