"""Following events through cuts and restarts: each once, in order, until there is nothing more to come."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.errors import TrainwireError, Unavailable
from core.job import EventType
from trainwire.address import no_server
from trainwire.refusals import refusal
from trainwire.stream import Frame, Reply, StreamCut, connect

_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 2.0

log = logging.getLogger("trainwire")


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of a job's log; `progress` is sent live only and has neither `seq` nor a place in the log."""

    type: EventType
    data: Mapping[str, Any]
    seq: int | None = None
    at: datetime | None = None

    @classmethod
    def of(cls, frame: Mapping[str, Any]) -> Event:
        """An event from its wire form."""
        at = datetime.fromisoformat(frame["at"]) if frame.get("at") else None
        return cls(type=EventType(frame["type"]), data=frame["data"], seq=frame.get("seq"), at=at)


class Patience:
    """How long to ask again when nothing answers: pauses that double, until `total_s` after the last answer."""

    def __init__(self, total_s: float) -> None:
        self._total_s = total_s
        self._until = time.monotonic() + total_s
        self._pause_s = _FIRST_PAUSE_S
        self._is_told = False

    def spend(self, error: TrainwireError) -> None:
        """Pause before the next try and say so once, or raise `error` when patience has run out."""
        if time.monotonic() >= self._until:
            raise error
        if not self._is_told:
            within = "" if math.isinf(self._total_s) else f" for up to {self._total_s:.0f} s"
            log.warning("%s Asking again%s.", error.message, within)
            self._is_told = True
        self.pause()

    def pause(self) -> None:
        """Pause before the next try, each time longer."""
        time.sleep(self._pause_s)
        self._pause_s = min(2 * self._pause_s, _LONGEST_PAUSE_S)


def follow(url: str, path: str, *, headers: Mapping[str, str], after: int, patience_s: float) -> Iterator[Event]:
    """The events of the stream at `path` of the service at `url` behind `after`; see `Client.watch`."""
    behind = str(after) if after else ""
    for frame in frames(url, path, headers=headers, last_id=behind, patience_s=patience_s):
        event = Event.of(frame.data)
        if event.seq is None or event.seq > after:
            after = event.seq or after
            yield event
        if event.type is EventType.END:
            return


def frames(url: str, path: str, *, headers: Mapping[str, str], last_id: str, patience_s: float) -> Iterator[Frame]:
    """What a stream tells behind `last_id`, through cuts and restarts, until the service says that it is over."""
    patience = Patience(0.0)
    while True:
        try:
            for frame in _stream(url + path, headers=headers, last_id=last_id):
                last_id = frame.id or last_id
                yield frame
        except StreamCut as cut:
            if cut.was_open:
                patience = Patience(patience_s)
                patience.pause()
            else:
                patience.spend(no_server(url, cut))
        except Unavailable as busy:
            patience.spend(busy)
        else:
            return


def _stream(url: str, *, headers: Mapping[str, str], last_id: str) -> Iterator[Frame]:
    """One connection's frames; ends when there is nothing more to come, else raises `StreamCut`."""
    with connect(url, headers=headers, last_id=last_id) as reply:
        if _is_over(reply):
            return
        yield from reply.frames
    raise StreamCut("the stream ended before its job", was_open=True)


def _is_over(reply: Reply) -> bool:
    """Whether all was read to the end before (204); raises what any other answer than a stream means."""
    if reply.status == 200:
        return False
    if reply.status == 204:
        return True
    raise refusal(reply.status, reply.body)
