"""Backbones of other packages: sized from the data, judged before they are built, trained and gone on with."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from rich.console import Console

from core.catalog import catalog
from core.errors import InvalidSpec, SpecRefused
from core.events import Finished, Started
from core.loop import load_model
from core.loop.assembly import make_model
from core.planning import plan
from core.spec import JobSpec, parse_spec
from core.views import PlanView
from tests.core.loop.interrupting import Bench
from tests.core.loop.test_resume import resumes_exactly
from tests.core.standing_in import installed
from trainwire.plans import plan_page

JOB: dict[str, Any] = {"dataset": "digits", "batch_size": 500, "epochs": 2, "lr": 0.01}


@pytest.fixture
def packages(tmp_path: Path) -> Iterator[None]:
    with installed(tmp_path / "packages"):
        yield


def _spec(architecture: str, *, package: str = "timm", **changes: Any) -> JobSpec:
    return parse_spec({**JOB, "model": {"name": package, "architecture": architecture}, **changes})


def _refused(architecture: str, **changes: Any) -> dict[str, str]:
    with pytest.raises(SpecRefused) as caught:
        _spec(architecture, **changes)
    return {problem.pointer: problem.message for problem in caught.value.problems}


@pytest.mark.usefixtures("packages")
@pytest.mark.parametrize(("package", "architecture"), [("timm", "anynet"), ("torchvision", "colournet")])
def test_a_backbone_trains_and_goes_on_exactly(bench: Bench, package: str, architecture: str) -> None:
    fields = {**JOB, "model": {"name": package, "architecture": architecture}}
    resumes_exactly(bench, fields, stride=3)


@pytest.mark.usefixtures("packages")
def test_its_size_is_the_data_s_and_its_parameters_are_told_by_the_run(bench: Bench) -> None:
    told = bench.attempt({**JOB, "model": {"name": "timm", "architecture": "sizednet"}})
    # one channel in, ten classes out, a norm between
    assert told.every(Started)[0].parameters == (9 + 1) * 8 + 2 * 8 + (8 + 1) * 10
    assert told.every(Finished)
    again = load_model(told.folder)
    assert again(torch.zeros(3, 1, 8, 8)).shape == (3, 10)
    assert set(again.state_dict()) >= {"conv.weight", "fc.weight"}, "the package's own names"


@pytest.mark.usefixtures("packages")
def test_a_grey_picture_is_shown_as_three_equal_channels() -> None:
    model = make_model(_spec("colournet", package="torchvision")).eval()
    grey = torch.rand(2, 1, 8, 8)
    assert torch.equal(model(grey), type(model).forward(model, grey.expand(-1, 3, -1, -1)))


@pytest.mark.usefixtures("packages")
def test_its_cost_is_not_known_before_it_is_built_and_a_plan_says_so() -> None:
    spec = _spec("anynet")
    assert spec.cost is None
    told = plan(spec, None, None)
    assert (told["parameters"], told["memory"]) == (None, None)
    assert any("must be built to be weighed" in note for note in told["notes"])
    page = Console(width=200)
    with page.capture() as shown:
        page.print(plan_page(PlanView.model_validate(told)))
    assert shown.get().count("not known") >= 2


@pytest.mark.usefixtures("packages")
@pytest.mark.parametrize(
    ("architecture", "told"),
    [
        ("hugenet", "parameters; at most 100,000,000 are allowed"),
        ("fixednet", "gives [7] for a sample, not [10]"),
        ("largenet", "cannot be built with these settings: ValueError: (8, 8) cannot be cut into patches of 16"),
        ("strictnet", "cannot read samples of the shape [1, 8, 8]: AssertionError: another size"),
    ],
)
def test_what_only_a_sketch_can_tell_ends_the_run_before_anything_is_built(architecture: str, told: str) -> None:
    spec = _spec(architecture)
    with pytest.raises(InvalidSpec) as caught:
        make_model(spec)
    assert told in caught.value.message
    assert (caught.value.param, bool(caught.value.hint)) == ("/model", True)


@pytest.mark.usefixtures("packages")
def test_an_unknown_architecture_is_refused_at_once_with_the_nearest() -> None:
    assert 'Did you mean "anynet"?' in _refused("anyne")["/model/architecture"]
    assert "torchvision has no classifier" in _refused("anynet", package="torchvision")["/model/architecture"]


@pytest.mark.usefixtures("packages")
def test_a_backbone_is_for_pictures_and_its_gradients_are_not_accumulated() -> None:
    assert "is for images" in _refused("anynet", dataset="iris")["/model"]
    assert "/on_out_of_memory" in _refused("anynet", on_out_of_memory="accumulate")


@pytest.mark.usefixtures("packages")
def test_names_are_judged_without_importing_the_package() -> None:
    _spec("anynet")
    assert "timm" not in sys.modules


@pytest.mark.parametrize("package", ["timm", "torchvision"])
def test_without_the_package_the_spec_is_refused_with_what_to_install(
    monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    assert 'pip install "trainwire[vision]"' in _refused("resnet18", package=package)["/model"]
    entry = next(one for one in catalog()["models"] if one["name"] == package)
    assert (entry["extra"], entry["installed"]) == ("vision", False)
