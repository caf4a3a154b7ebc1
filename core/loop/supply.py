"""Where the stages of a run get their data and first weights from: made when asked for, one at a time in memory."""

from __future__ import annotations

from pathlib import Path

import torch

from core.loading import data
from core.loading.data import Data
from core.loop import starting
from core.loop.starting import Start
from core.shelf import Folders
from core.spec import JobSpec
from core.spec.fields import Split


class Supply:
    """Makes the data of specs that differ in split and seed at most, of which the data rests on the split alone.

    `cache` is where bundled tables are kept as arrays, and uploads, and weights to start from, lie in `datasets`.
    """

    def __init__(self, device: torch.device, *, cache: Path | None, datasets: Path | Folders | None) -> None:
        self.device = device
        self._cache = cache
        self._datasets = Folders(datasets) if isinstance(datasets, Path) else datasets
        self._made: tuple[Split, Data] | None = None

    def of(self, spec: JobSpec) -> Data:
        """The data of `spec`, on the device as far as it fits there; that of another split is let go of first.

        Raises InvalidData.
        """
        if self._made is None or self._made[0] != spec.split:
            self._made = None
            made = data.make(spec, cache=self._cache, datasets=self._datasets)
            self._made = spec.split, made.on(self.device, train=not spec.loader.num_workers)
        return self._made[1]

    def start(self, spec: JobSpec) -> Start | None:
        """The weights that `spec` starts from, None for random ones; read anew each time. Raises InvalidData."""
        return starting.read(spec.init_from, self._datasets)
