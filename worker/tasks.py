"""The Celery task: a door to the node of this process."""

from __future__ import annotations

from worker.app import app
from worker.station import node


@app.task(name="trainwire.look", ignore_result=True)
def look() -> None:
    """Look for work, and do it while there is any."""
    node().look()
