"""What a dataset is when it is loaded and nothing is encoded yet."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from core.data import Arrays
from core.loading.picture_files import PictureFiles
from core.loading.table import Table

Source = Arrays | Table | PictureFiles
"""Arrays, a table whose columns are in memory or still in their file, or pictures that are decoded when needed."""


def without_target(source: Source) -> Source:
    """The same samples for a model that reconstructs them: a 0 for each stands where no target is read."""
    return replace(source, y=np.zeros((len(source.y), 1), np.float32), class_names=None)
