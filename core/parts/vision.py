"""Models of other packages for pictures: backbones of timm and torchvision, with fresh weights and the head they need.

Their cost is not known before they are built: a run sketches one without memory first, and judges that.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from core.checks import Finding, nearest, shown
from core.data import DataShape, ModelShape
from core.extras import is_here, library
from core.parts.limits import Dropout
from core.registry import models

if TYPE_CHECKING:
    from torch import Tensor, nn

Architecture = Annotated[str, Field(pattern=r"^[a-z0-9_]{1,100}$", examples=["resnet18"])]

_REGISTERED = re.compile(r"^@register_model\b[^\n]*\n(?:@[^\n]*\n)*def (\w+)\(", re.MULTILINE)
_NEAR = 10
"""Names that are told where one is wrong; there are more than a thousand."""


@functools.cache
def architectures(package: str) -> frozenset[str]:
    """The names of a package's classifiers, read from its sources: importing it would bring torch here."""
    found = find_spec(package)
    folders = [Path(place, "models") for place in (found.submodule_search_locations or () if found else ())]
    sources = [path.read_text(encoding="utf-8") for folder in folders for path in sorted(folder.glob("*.py"))]
    return frozenset(name for source in sources for name in _REGISTERED.findall(source))


def _known(package: str) -> Callable[..., Iterator[Finding]]:
    def check(*, architecture: str, **_: Any) -> Iterator[Finding]:
        known = architectures(package) if is_here(package) else frozenset()
        if known and architecture not in known:
            told = f"{package} has no classifier {shown(architecture)}.{nearest(architecture, known)}"
            alike = sorted(name for name in known if name.startswith(architecture.partition("_")[0]))
            yield Finding(("architecture",), architecture, told, alike[:_NEAR] or None)

    return check


def _pair(**_: Any) -> int:
    return 2


def _perhaps(**_: Any) -> bool:
    """Most of them have batch norm."""
    return True


def _colours(shape: DataShape, **_: Any) -> Iterator[Finding]:
    if shape.features[0] not in (1, 3):
        told = f"torchvision's models take pictures of 1 or 3 channels; these have {shape.features[0]}."
        yield Finding((), "torchvision", told, {"channels": [1, 3]})


@models.register(
    cost=None, images=True, check=_known("timm"), smallest_batch=_pair, batch_coupled=_perhaps,
    extra="vision", package="timm",
)  # fmt: skip
def timm(shape: ModelShape, *, architecture: Architecture, drop_rate: Dropout = 0.0) -> nn.Module:
    """A classifier of the package timm, with fresh weights (needs trainwire[vision]).

    Channels, outputs and, where an architecture is made for one size, height and width are the data's. Its weights have
    timm's own names, so `init_from` takes a file of timm's.
    """
    package = library("timm", extra="vision", param="/model")
    channels, height, width = shape.features
    settings: dict[str, Any] = {"num_classes": shape.outputs, "in_chans": channels}
    if drop_rate:
        settings["drop_rate"] = drop_rate
    make = functools.partial(package.create_model, architecture, pretrained=False, **settings)
    try:
        made: nn.Module = make(img_size=(height, width))
    except TypeError:  # an architecture that takes any size
        made = make()
    return made


@models.register(
    cost=None, images=True, check=_known("torchvision"), fits=_colours, smallest_batch=_pair, batch_coupled=_perhaps,
    extra="vision", package="torchvision",
)  # fmt: skip
def torchvision(shape: ModelShape, *, architecture: Architecture) -> nn.Module:
    """A classifier of the package torchvision, with fresh weights (needs trainwire[vision]).

    Grey pictures are shown to it as three equal channels. Its weights have torchvision's own names.
    """
    package = library("torchvision", extra="vision", param="/model")
    # these two have heads beside the main one, which only their own training loop knows
    alone = {"aux_logits": False, "init_weights": True} if architecture in ("googlenet", "inception_v3") else {}
    made: nn.Module = package.models.get_model(architecture, weights=None, num_classes=shape.outputs, **alone)
    if shape.features[0] == 1:
        made.register_forward_pre_hook(_three_channels)
    return made


def _three_channels(_: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    return (inputs[0].expand(-1, 3, -1, -1),)
