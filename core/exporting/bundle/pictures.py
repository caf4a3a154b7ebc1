"""Pictures as numbers; these need Pillow beside torch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor


def pixels(path: Path, shape: Sequence[int], resize: str) -> Tensor:
    """One picture of 8 bits a channel, from 0 (black) to 1: `(channels, height, width)`."""
    from PIL import Image, ImageOps

    channels, height, width = shape
    with Image.open(path) as opened:
        opened.load()
        image: Any = ImageOps.exif_transpose(opened) if opened.format == "JPEG" else opened
    if image.mode.startswith("I"):
        raise ValueError(f"{path} has 16 bits a channel; save it with 8.")
    if image.has_transparency_data:  # on white
        clear = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", clear.size, "white"), clear)
    image = image.convert("L" if channels == 1 else "RGB")
    if image.size != (width, height):
        bilinear = Image.Resampling.BILINEAR
        way = {"crop": ImageOps.fit, "pad": ImageOps.pad}.get(resize)
        image = way(image, (width, height), bilinear) if way else image.resize((width, height), bilinear)
    read = torch.frombuffer(bytearray(image.tobytes()), dtype=torch.uint8)
    return read.reshape(height, width, channels).permute(2, 0, 1).float() / 255
