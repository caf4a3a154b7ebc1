"""A plan in a person's words."""

from __future__ import annotations

import pytest
from rich.console import Console

from api.examples import PLANNED
from core.views import PlanView
from trainwire.plans import plan_page


@pytest.mark.parametrize(
    ("trainable", "told"), [(9610, "9,610"), (8320, "9,610, 8,320 of them trained"), (None, "9,610")]
)
def test_how_many_parameters_train_is_told_where_it_is_known(trainable: int | None, told: str) -> None:
    page = Console(width=160)
    with page.capture() as shown:
        page.print(plan_page(PlanView.model_validate({**PLANNED, "trainable_parameters": trainable})))
    [line] = [line for line in shown.get().splitlines() if line.startswith("parameters")]
    assert line.removeprefix("parameters").strip() == told
