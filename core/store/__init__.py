"""The store: the only SQL. One method, one transaction; plain frozen rows come back."""

from core.store.claiming import Held
from core.store.curves import Curves
from core.store.datasets import DatasetPage, DatasetQuery, Upload
from core.store.paging import JobPage, JobQuery
from core.store.reading import Moving, Pulse
from core.store.store import Store
from core.store.wishes import Created, Fork, Once, Retry, Submit, Told, Wish, forked_at

__all__ = [
    "Created",
    "Curves",
    "DatasetPage",
    "DatasetQuery",
    "Fork",
    "Held",
    "JobPage",
    "JobQuery",
    "Moving",
    "Once",
    "Pulse",
    "Retry",
    "Store",
    "Submit",
    "Told",
    "Upload",
    "Wish",
    "forked_at",
]
