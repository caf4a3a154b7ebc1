"""Forwarding: what the service tells of its jobs, to the runs of a tracking server, each event once."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from core.epochs import predicts
from core.errors import Gone, NoServer, NotFound, Unavailable
from core.views import ChangeType, JobView
from trainwire.client import Client
from trainwire.forwarding.runs import ENDED, STATUS, metrics, ms, params
from trainwire.forwarding.tracking import SEQ, Run, Tracking, TrackingRefused
from trainwire.watching import Event, Patience

_METRICS, _PARAMS = 500, 100
"""At most so many in a request; the server takes 1,000 and 100."""

log = logging.getLogger("trainwire")


class Forwarder:
    """Keeps the runs of `tracking` as the jobs of `client` are; where it stands is kept there, in a tag of each run.

    So it may be ended at any moment and begun again anywhere: an event that was forwarded and not noted is entered
    again with the same time, which the server keeps once. It reads the public API alone.
    """

    def __init__(self, client: Client, tracking: Tracking, *, told: Callable[[JobView], None] = lambda _: None) -> None:
        self._client = client
        self._tracking = tracking
        self._told = told
        self._runs = tracking.runs()
        self._refused: set[str] = set()

    def follow(self) -> None:
        """Forward all jobs that there are, then each change as it happens, for ever; the service may be away."""
        patience = Patience(math.inf)
        while True:
            try:
                for change in self._client.watch_all(patience_s=math.inf):
                    if change.type is ChangeType.RESET:
                        self.all()
                    elif (job := change.job) is not None:
                        self.forward(job)
                    patience = Patience(math.inf)
            except (NoServer, Unavailable) as away:
                patience.spend(away)

    def all(self) -> None:
        """Forward what is new of all jobs, the oldest first."""
        for job in reversed(list(self._client.jobs())):
            self.forward(job)

    def forward(self, job: JobView) -> None:
        """Forward what is new of a job; one that the server refuses is said once, and left out from then on."""
        if predicts(job.spec) or job.id in self._refused:
            return
        try:
            self._forward(job)
        except TrackingRefused as refused:
            log.warning("%s is not forwarded. %s", job.id, refused.message)
            self._refused.add(job.id)
        except (NotFound, Gone):
            return  # deleted meanwhile; its run stays as it is

    def _forward(self, job: JobView) -> None:
        run = self._runs.get(job.id) or self._create(job)
        if run.status in ENDED:
            return
        if run.seq == 0:  # again, where whoever made the run came no further
            self._describe(run, job)
        for events in _pieces(self._client.events(job.id, after=run.seq)):
            found = [one for event in events for one in metrics(event)]
            seq = events[-1].seq or run.seq
            self._tracking.log(run, metrics=found, tags={SEQ: str(seq)})
            run.seq = seq
        if run.status != (status := STATUS[job.status]):
            self._tracking.update(run, status=status, end_ms=ms(job.finished_at) if job.finished_at else None)
            self._told(job)

    def _create(self, job: JobView) -> Run:
        run = self._tracking.create(job.id, name=job.name, start_ms=ms(job.created_at))
        self._runs[job.id] = run
        return run

    def _describe(self, run: Run, job: JobView) -> None:
        labels = {f"label.{key}": value for key, value in job.labels.items()}
        self._tracking.log(run, tags={**labels, "mlflow.note.content": f"{self._client.url}/jobs/{job.id}"})
        told = iter(params(job.spec))
        while some := dict(islice(told, _PARAMS)):
            self._tracking.log(run, params=some)


def _pieces(events: Iterable[Event]) -> Iterator[list[Event]]:
    """Events in lists that together have so many metrics as a request may."""
    held, size = list[Event](), 0
    for event in events:
        count = len(metrics(event))
        if held and size + count > _METRICS:
            yield held
            held, size = [], 0
        held.append(event)
        size += count
    if held:
        yield held
