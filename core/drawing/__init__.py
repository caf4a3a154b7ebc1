"""An evaluation report as pictures, drawn in a process of its own: the service holds no matplotlib."""

from core.drawing.apart import EXTRA, MEDIA_TYPES, PACKAGE, draw
from core.drawing.figures import figures_of

__all__ = ["EXTRA", "MEDIA_TYPES", "PACKAGE", "draw", "figures_of"]
