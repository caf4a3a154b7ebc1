"""A trained model in the formats that others read, made when it is asked for, in a process of its own.

The processes of the service import this room without torch; `core.exporting.work` is for that other process.
"""

from core.exporting.apart import Limits
from core.exporting.formats import FORMS, Format
from core.exporting.keeping import ExportStore, export, ready

__all__ = ["FORMS", "ExportStore", "Format", "Limits", "export", "ready"]
