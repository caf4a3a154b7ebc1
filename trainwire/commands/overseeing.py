"""`top`: all jobs and workers, live."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Annotated

import typer
from rich.console import Console, RenderableType
from rich.live import Live

from core import wire
from core.epochs import planned_epochs
from core.errors import NoServer, TrainwireError, Unavailable
from core.sentences import plain, row_text
from core.views import ChangeType, JobView
from trainwire.client import Client
from trainwire.commands.options import AsJson, Url, console
from trainwire.exits import errors_told
from trainwire.keys import key, single_keys
from trainwire.overview import Overview, load
from trainwire.overview_table import overview_table
from trainwire.watching import Patience

REDRAW_S = 0.25
WORKERS_S = 3.0
PATIENCE_S = 600.0
LEAVE = {"q", "Q", "\x03"}


def top(
    *,
    once: Annotated[bool, typer.Option("--once", help="Show them as they stand and leave.")] = False,
    as_json: AsJson = False,
    url: Url = None,
) -> None:
    """Show all jobs and workers live: status, progress, time left, losses. Leave with q or Ctrl-C."""
    with errors_told(as_json=as_json), suppress(KeyboardInterrupt), Client(url) as client:
        here = console()
        if once:
            _once(client, here, as_json=as_json)
        elif here.is_terminal and not as_json:
            _live(client, here)
        else:
            _lines(client, here, as_json=as_json)


def _once(client: Client, here: Console, *, as_json: bool) -> None:
    overview = Overview()
    load(client, overview)
    if as_json:
        workers = [worker.model_dump(mode="json") for worker in overview.workers]
        print(wire.dumps({"data": [job.model_dump(mode="json") for job in overview.ordered()], "workers": workers}))
    else:
        here.print(overview_table(overview, width=here.width))


def _lines(client: Client, here: Console, *, as_json: bool) -> None:
    """A line for each change of a job's status or epoch, for a pipe."""
    seen: dict[str, tuple[object, ...]] = {}
    for change in client.watch_all():
        job = change.job
        if job is None:
            continue
        news = (job.status, job.latest.epoch if job.latest else 0)
        if seen.get(job.id) != news:
            line = job.model_dump_json() if as_json else _line(job)
            here.file.write(f"{line}\n")
            here.file.flush()
        seen[job.id] = news


def _line(job: JobView) -> str:
    done = job.latest.epoch if job.latest else 0
    figures = row_text(job.latest.model_dump(exclude_none=True)) if job.latest else ""
    return f"{job.id}  {plain(job.name)}  {job.status}  {done}/{planned_epochs(job.spec)}  {figures}".rstrip()


def _live(client: Client, here: Console) -> None:
    """The table on a screen of its own, until a key or an error ends it."""
    follower = Follower(client)
    follower.start()
    try:
        with single_keys(), Live(console=here, screen=True, auto_refresh=False) as live:
            while follower.error is None:
                live.update(follower.table(here), refresh=True)
                if key(within_s=REDRAW_S) in LEAVE:
                    return
        raise follower.error
    finally:
        follower.leave()


class Follower:
    """Keeps an overview current from threads of its own: by the stream, and by asking for the workers."""

    def __init__(self, client: Client) -> None:
        self.error: TrainwireError | None = None
        self._client = client
        self._overview = Overview()
        self._lock = threading.Lock()
        self._left = threading.Event()

    def start(self) -> None:
        """Begin to follow."""
        for live in (self._follow, self._look_at_workers):
            threading.Thread(target=self._live, args=(live,), name="overview", daemon=True).start()

    def leave(self) -> None:
        """Follow no more; what still waits for an answer ends with the process."""
        self._left.set()

    def table(self, here: Console) -> RenderableType:
        """The overview as it is now, as large as the terminal."""
        with self._lock:
            return overview_table(self._overview, width=here.width, rows=here.height)

    def _live(self, live: Callable[[], None]) -> None:
        try:
            live()
        except TrainwireError as error:
            self.error = error
        except RuntimeError:  # the client was closed meanwhile
            if not self._left.is_set():
                raise

    def _follow(self) -> None:
        for change in self._client.watch_all():
            if change.type is ChangeType.RESET:
                self._load(Patience(PATIENCE_S))
            with self._lock:
                self._overview.take(change)

    def _load(self, patience: Patience) -> None:
        while True:
            fresh = Overview()
            try:
                load(self._client, fresh)
                break
            except (NoServer, Unavailable) as away:
                patience.spend(away)
        with self._lock:
            self._overview = fresh

    def _look_at_workers(self) -> None:
        while not self._left.wait(WORKERS_S):
            with suppress(NoServer, Unavailable):
                workers = self._client.workers()
                with self._lock:
                    self._overview.workers = workers
