"""The store: the only SQL. One method, one transaction; plain frozen rows come back."""

from core.store.paging import JobPage, JobQuery
from core.store.reading import Pulse
from core.store.store import Store

__all__ = ["JobPage", "JobQuery", "Pulse", "Store"]
