"""Small packages with the names and the doors of timm and torchvision, which CI cannot have beside its torch."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from core.parts.vision import architectures

NET = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self, num_classes, channels, *, width, sides=None, outputs=None):
        super().__init__()
        self.sides, self.conv = sides, nn.Conv2d(channels, width, 3, padding=1)
        self.norm = nn.BatchNorm2d(width)
        self.fc = nn.Linear(width, outputs or num_classes)

    def forward(self, x):
        assert self.sides is None or x.shape[2:] == self.sides, "another size"
        return self.fc(self.norm(self.conv(x)).relu().mean((2, 3)))
"""

TIMM = """
from timm.net import Net

def register_model(make):
    return make

@register_model
def anynet(pretrained=False, num_classes=1000, in_chans=3, drop_rate=0.0):
    return Net(num_classes, in_chans, width=8)

@register_model
def sizednet(pretrained=False, num_classes=1000, in_chans=3, img_size=(224, 224), drop_rate=0.0):
    return Net(num_classes, in_chans, width=8, sides=tuple(img_size))

@register_model
def largenet(pretrained=False, num_classes=1000, in_chans=3, img_size=(224, 224), drop_rate=0.0):
    if img_size[0] % 16:
        raise ValueError(f"{img_size} cannot be cut into patches of 16")
    return Net(num_classes, in_chans, width=8)

@register_model
def strictnet(pretrained=False, num_classes=1000, in_chans=3, drop_rate=0.0):
    return Net(num_classes, in_chans, width=8, sides=(16, 16))

@register_model
def hugenet(pretrained=False, num_classes=1000, in_chans=3, drop_rate=0.0):
    return Net(num_classes, in_chans, width=100_000_000)

@register_model
def fixednet(pretrained=False, num_classes=1000, in_chans=3, drop_rate=0.0):
    return Net(num_classes, in_chans, width=8, outputs=7)
"""

FILES = {
    "timm/__init__.py": """
from timm.models import nets

def create_model(name, pretrained=False, **settings):
    assert not pretrained
    return getattr(nets, name)(**settings)
""",
    "timm/net.py": NET,
    "timm/models/__init__.py": "",
    "timm/models/nets.py": TIMM,
    "torchvision/__init__.py": "from torchvision import models\n",
    "torchvision/models/__init__.py": """
from torchvision.models import nets

def get_model(name, *, weights, **settings):
    assert weights is None
    return getattr(nets, name)(**settings)
""",
    "torchvision/models/nets.py": """
from timm.net import Net

def register_model():
    return lambda make: make

@register_model()
def colournet(*, num_classes=1000):
    return Net(num_classes, 3, width=8)
""",
}


@contextmanager
def installed(folder: Path) -> Iterator[None]:
    """Within the block `timm` and `torchvision` are these."""
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in sys.modules if name.partition(".")[0] in ("timm", "torchvision")]:
            patch.delitem(sys.modules, name)
        patch.syspath_prepend(str(folder))
        importlib.invalidate_caches()
        architectures.cache_clear()
        try:
            yield
        finally:
            for name in [name for name in sys.modules if name.partition(".")[0] in ("timm", "torchvision")]:
                del sys.modules[name]
            architectures.cache_clear()
