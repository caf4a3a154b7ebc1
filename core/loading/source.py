"""What a dataset is when it is loaded and nothing is encoded yet."""

from __future__ import annotations

from core.data import Arrays
from core.loading.picture_files import PictureFiles
from core.loading.table import Table

Source = Arrays | Table | PictureFiles
"""Arrays, a table whose columns are in memory or still in their file, or pictures that are decoded when needed."""
