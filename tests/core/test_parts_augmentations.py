"""Each augmentation does what its name says, as often and as far as its settings say, and the same ever after."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional

import core.parts  # noqa: F401
from core.augment.draws import Draws
from core.registry import augmentations

COUNT = 1_500
GRADIENT = torch.arange(48.0).reshape(1, 1, 6, 8).expand(COUNT, 3, 6, 8) / 47
WHITE = torch.ones(COUNT, 1, 10, 10)


def changed(choice: Any, x: Tensor, y: Tensor | None = None, *, seed: int = 0, step: int = 0) -> tuple[Tensor, Tensor]:
    draws = Draws.of(torch.arange(len(x)), seed=seed, epoch=1, step=step, place=0)
    change = augmentations.build(augmentations.choose(choice), (0.0, 1.0))
    found: tuple[Tensor, Tensor] = change(x, torch.zeros(len(x)) if y is None else y, draws)
    return found


def pictures(choice: Any, x: Tensor = GRADIENT) -> Tensor:
    before = x.clone()
    found, y = changed(choice, x)
    assert found.shape == x.shape
    assert found.dtype == torch.float32
    assert not y.any()
    assert torch.equal(x, before), "the samples themselves are changed"
    return found


def same(found: Tensor, wanted: Tensor) -> Tensor:
    return (found == wanted).flatten(1).all(1)


def test_pictures_are_flipped_as_often_as_asked_and_each_way_on_its_own() -> None:
    found = pictures({"name": "flip", "horizontal": 0.3, "vertical": 0.8})
    across, down = GRADIENT.flip(3), GRADIENT.flip(2)
    rates = [float(same(found, one).float().mean()) for one in (GRADIENT, across, down, across.flip(2))]
    assert rates == pytest.approx([0.7 * 0.2, 0.3 * 0.2, 0.7 * 0.8, 0.3 * 0.8], abs=0.025)
    assert sum(rates) == pytest.approx(1)


@pytest.mark.parametrize("mode", ["constant", "edge", "reflect"])
def test_a_crop_is_a_window_of_the_padded_picture_and_every_place_is_taken(mode: Any) -> None:
    found = pictures({"name": "crop", "padding": 2, "padding_mode": mode})
    torchs = {"edge": "replicate"}.get(mode, mode)
    padded = functional.pad(GRADIENT[:1], (2, 2, 2, 2), mode=torchs)
    windows = [padded[:, :, top : top + 6, left : left + 8] for top in range(5) for left in range(5)]
    rates = [float(same(found, window).float().mean()) for window in windows]
    assert rates == pytest.approx([1 / 25] * 25, abs=0.012)


def test_a_resized_crop_shows_a_share_of_the_picture_at_its_size() -> None:
    """On a slope the corners tell where the window lay."""
    down, across = (torch.linspace(0, 1, 32).reshape(shape).expand(COUNT, 1, 32, 32) for shape in ((32, 1), (1, 32)))
    choice = {"name": "resized_crop", "scale": [0.25, 0.64], "ratio": [0.8, 1.25]}
    tall = pictures(choice, down)[:, 0, -1, 0] - pictures(choice, down)[:, 0, 0, 0]
    wide = pictures(choice, across)[:, 0, 0, -1] - pictures(choice, across)[:, 0, 0, 0]
    area, shape = tall * wide, wide / tall
    assert 0.2 < float(area.min()) < 0.28
    assert 0.58 < float(area.max()) < 0.66
    assert 0.78 < float(shape.min()) < 0.84
    assert 1.18 < float(shape.max()) < 1.28
    assert torch.allclose(pictures({"name": "resized_crop", "scale": [1, 1], "ratio": [1, 1]}, down), down, atol=1e-5)


def test_pictures_are_turned_counterclockwise_about_their_middle() -> None:
    from core.augment.geometry import turned

    x = GRADIENT[:1, :1, :, :6]
    quarter, none = torch.tensor([math.pi / 2]), torch.zeros(1)
    found = turned(x, quarter, torch.ones(1), (none, none), padding="constant")
    assert torch.allclose(found, x.rot90(1, (2, 3)), atol=1e-5)
    right = turned(x, none, torch.ones(1), (none, torch.tensor([1 / 6])), padding="constant")
    assert torch.allclose(right[..., 1:], x[..., :-1], atol=1e-5)
    assert torch.allclose(right[..., 0], torch.zeros(1, 1, 6), atol=1e-5)


def test_an_affine_change_stays_within_its_bounds() -> None:
    assert torch.allclose(pictures({"name": "affine", "degrees": 0}), GRADIENT, atol=1e-5)
    disc = torch.zeros(COUNT, 1, 21, 21)
    disc[:, :, 10, 10] = 1
    moved = pictures({"name": "affine", "degrees": 30, "translate": 0.2, "scale": [0.9, 1.2]}, disc)
    rows = moved.sum((1, 3)).max(1).indices
    assert (int(rows.min()), int(rows.max())) == (6, 14)


def test_colours_change_by_their_factors_and_stay_in_range() -> None:
    grey = torch.full((COUNT, 3, 2, 2), 0.4)
    found = pictures({"name": "color", "brightness": 0.5, "contrast": 0}, grey) / grey
    assert (float(found.min()), float(found.max())) == pytest.approx((0.5, 1.5), abs=0.01)
    assert float(found.mean()) == pytest.approx(1, abs=0.02)
    strong = pictures({"name": "color", "brightness": 3, "contrast": 3, "saturation": 3}, torch.rand(COUNT, 3, 2, 2))
    assert (float(strong.min()), float(strong.max())) == (0, 1)


def test_contrast_keeps_the_mean_and_saturation_keeps_grey() -> None:
    soft = 0.4 + 0.2 * GRADIENT
    found = pictures({"name": "color", "brightness": 0, "contrast": 0.5}, soft)
    assert torch.allclose(found.mean((1, 2, 3)), soft.mean((1, 2, 3)), atol=1e-4)
    assert float(found[:, 0].std((1, 2)).max() / soft[0, 0].std()) == pytest.approx(1.5, abs=0.01)
    assert torch.allclose(
        pictures({"name": "color", "brightness": 0, "contrast": 0, "saturation": 1}, soft), soft, atol=1e-6
    )


def test_noise_has_its_deviation_and_reaches_tables() -> None:
    found = pictures({"name": "noise", "std": 0.5}, torch.zeros(COUNT, 7))
    assert found.std(0).tolist() == pytest.approx([0.5] * 7, abs=0.02)


def test_a_hole_is_cut_around_any_place() -> None:
    found = pictures({"name": "cutout", "length": 4}, WHITE)
    covered = (found == 0).sum((1, 2, 3))
    assert (int(covered.min()), int(covered.max())) == (4, 16)
    assert (found == 0).float().mean((0, 1)).min() > 0.03


def test_an_erased_rectangle_lies_within_the_picture_and_covers_its_share() -> None:
    found = pictures({"name": "random_erasing", "p": 0.6, "scale": [0.1, 0.3], "ratio": [0.5, 2]}, WHITE)
    covered = (found == 0).float().mean((1, 2, 3))
    hit = covered[covered > 0]
    assert len(hit) / COUNT == pytest.approx(0.6, abs=0.025)
    assert 0.07 < float(hit.min()) < 0.12
    assert 0.28 < float(hit.max()) < 0.36
    assert float(hit.mean()) == pytest.approx(0.2, abs=0.02)


def test_mixup_mixes_samples_and_targets_in_the_same_share() -> None:
    y = torch.eye(8)
    x = y * 5
    shares = []
    for step in range(300):
        mixed, soft = changed({"name": "mixup", "alpha": 1}, x, y, step=step)
        assert torch.allclose(mixed, soft * 5, atol=1e-6)
        assert torch.allclose(soft.sum(1), torch.ones(8))
        shares.append(float(soft[0, 0]))
    assert sum(shares) / 300 == pytest.approx(0.5 * 7 / 8 + 1 / 8, abs=0.05)
    assert len(set(shares)) > 250


def test_cutmix_mixes_targets_by_the_area_of_the_box() -> None:
    y = torch.eye(6)
    x = torch.arange(6.0).reshape(6, 1, 1, 1).expand(6, 1, 12, 9).contiguous()
    mixed_at_all = 0
    for step in range(100):
        mixed, soft = changed({"name": "cutmix", "p": 0.5}, x, y, step=step)
        for sample in range(6):
            shares = torch.tensor([float((mixed[sample] == one).float().mean()) for one in range(6)])
            assert torch.allclose(shares, soft[sample], atol=1e-6)
        mixed_at_all += not torch.equal(mixed, x)
    assert 30 < mixed_at_all < 65


GOLDEN = {
    "flip": [1.005564, 0.979948, 0.970128, 0.990238, 1.0],
    "crop": [0.469425, 0.428575, 0.535006, 0.316966, 1.0],
    "resized_crop": [1.037574, 1.01717, 1.000317, 0.995072, 1.0],
    "affine": [0.973301, 0.963625, 0.952324, 0.929418, 1.0],
    "color": [0.935752, 1.017741, 0.907983, 1.057776, 1.0],
    "noise": [0.985108, 0.996676, 0.954663, 1.014417, 1.0],
    "cutout": [0.855475, 0.87711, 0.859744, 0.845463, 1.0],
    "random_erasing": [0.803697, 0.955438, 0.923567, 0.778726, 1.0],
    "mixup": [0.998894, 0.988023, 0.991311, 0.990238, 0.799838],
    "cutmix": [1.00638, 1.010826, 0.961021, 0.990238, 0.9375],
}
"""Of four pictures their mean under weights from 0 to 4, and how much of a target is its own."""
SETTINGS: dict[str, dict[str, Any]] = {
    "flip": {"vertical": 0.5},
    "color": {"saturation": 0.5},
    "cutout": {"length": 3},
    "random_erasing": {"p": 1.0},
    "mixup": {"alpha": 1.0},
    "cutmix": {"p": 1.0},
}


@pytest.mark.parametrize("name", augmentations.names())
def test_one_draw_of_each_is_what_it_always_was(name: str) -> None:
    x = (torch.arange(4 * 3 * 6 * 8.0) * 0.37 % 1).reshape(4, 3, 6, 8)
    found, y = changed({"name": name, **SETTINGS.get(name, {})}, x, torch.eye(4), seed=1)
    weighted = (found * torch.linspace(0, 4, 144).reshape(3, 6, 8)).mean((1, 2, 3))
    assert [*weighted.tolist(), float(y.diagonal().mean())] == pytest.approx(GOLDEN[name], abs=2e-6)
