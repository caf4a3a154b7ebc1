"""A plain text as a run reads it: its parts as tokens, each sample a window of them and the same one token further."""

from __future__ import annotations

import builtins
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.data import PADDING
from core.errors import InvalidData
from core.loading.samples import Samples
from core.loading.tokens import Tokens, learned
from core.loading.windowed import Windowed
from core.spec import JobSpec
from core.windows import stretches


@dataclass(frozen=True)
class Windows(Windowed):
    """Evenly spaced windows over tokens, which lie in memory once; a batch is cut when it is asked for.

    Windows overlap where there are more of them than the tokens fill. With `once` a target that an earlier window
    already had is padding, so that each token is judged once, by the window that shows most of what is before it.
    """

    tokens: Tensor
    """Integers `(tokens,)`, `length + 1` at least."""
    starts: Tensor
    """Int64 `(windows,)`, rising."""
    length: int
    once: bool = False

    @property
    def bytes(self) -> int:
        """What the tokens take in memory."""
        return self.tokens.nbytes

    def take(self, rows: Tensor) -> Samples:
        """These windows: x and y int64 `(rows, length)`."""
        rows = rows.to(self.starts.device)
        steps = torch.arange(self.length + 1, device=self.starts.device)
        found = self.tokens[self.starts[rows][:, None] + steps].long()
        y = found[:, 1:].contiguous()
        if self.once:
            ends = self.starts[(rows - 1).clamp(min=0)] + self.length
            had = torch.where(rows > 0, ends - self.starts[rows], 0)
            y = y.masked_fill(steps[:-1] < had[:, None], PADDING)
        return Samples(found[:, :-1].contiguous(), y)

    def to(self, device: torch.device, *, non_blocking: bool = False) -> Windows:
        """The same windows with their tokens on `device`."""
        tokens, starts = (one.to(device, non_blocking=non_blocking) for one in (self.tokens, self.starts))
        return Windows(tokens, starts, self.length, once=self.once)

    def identity(self) -> Iterator[builtins.bytes | memoryview]:
        """The tokens, and how they are cut."""
        yield f"{self.tokens.dtype} {len(self.tokens)} {self.size} {self.length} {self.once}".encode()
        yield self.tokens.cpu().numpy().data


def read(spec: JobSpec, path: Path) -> tuple[Tokens, dict[str, Windows]]:
    """The tokenizer that the training part of the text at `path` gives, and the windows of each part that there is.

    Raises InvalidData when the file is not the text that it was, or a part is a single token.
    """
    text, split = path.read_bytes(), spec.split
    parts = stretches(len(text), split.validation or 0.0, test=split.test or 0.0)
    # a character that two parts share is in neither
    words = {name: text[part.start : part.stop].decode(errors="ignore") for name, part in parts.items() if part}
    length = spec.data_shape.features[0]
    tokens = learned(spec.preprocess.text, [words["train"]], length=length)
    sizes = spec.split_sizes._asdict()
    return tokens, {
        name: _part(tokens.tokenizer.encode(part), count=sizes[name], length=length, part=name)
        for name, part in words.items()
    }


def _part(ids: NDArray[np.int64], *, count: int, length: int, part: str) -> Windows:
    if len(ids) < 2:
        raise InvalidData(f"The {part} part is a single token, which nothing follows.", param="/split")
    return windows_over(ids, count=count, length=length, once=part != "train")


def windows_over(ids: NDArray[np.int64], *, count: int, length: int, once: bool) -> Windows:
    """So many windows of `length` tokens, evenly spaced over two ids or more."""
    ids = np.pad(ids, (0, max(0, length + 1 - len(ids))), constant_values=PADDING)
    starts = np.arange(count) * (len(ids) - 1 - length) // max(1, count - 1)
    tokens = torch.tensor(ids, dtype=torch.int16 if ids.max() < 2**15 else torch.int32)
    return Windows(tokens, torch.tensor(starts, dtype=torch.int64), length, once=once)
