"""A wire to PostgreSQL that breaks while a transaction commits."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from sqlalchemy import make_url


@dataclass
class Wire:
    """A TCP proxy that breaks at the next COMMITs, before or behind their delivery, and may stay down from then on."""

    url: str
    breaks_left: int = 0
    after_delivery: bool = True
    broken: int = 0
    stays_down: bool = False
    down: bool = False
    sockets: list[socket.socket] = field(default_factory=list)

    def forward(self, client: socket.socket, server: socket.socket) -> None:
        """Carry what the client says, up to the COMMIT at which the wire breaks."""
        with suppress(OSError):
            while said := client.recv(65536):
                if b"COMMIT" in said and self.breaks_left > 0:
                    self.breaks_left -= 1
                    self.broken += 1
                    self.down = self.stays_down
                    self._break(client, server, said)
                    return
                server.sendall(said)
        _hang_up(server)

    def _break(self, client: socket.socket, server: socket.socket, said: bytes) -> None:
        """Let the server commit, or not; in both cases the client never hears of it."""
        if self.after_delivery:
            _hang_up(client)
            server.sendall(said)
        else:
            _hang_up(client)
            _hang_up(server)


def _back(server: socket.socket, client: socket.socket) -> None:
    with suppress(OSError):
        while said := server.recv(65536):
            with suppress(OSError):
                client.sendall(said)
    _hang_up(client)


def _hang_up(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)


@contextmanager
def a_wire(url: str) -> Iterator[Wire]:
    """A wire to the server of `url`."""
    parsed = make_url(url)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        wire = Wire(parsed.set(host="127.0.0.1", port=port).render_as_string(hide_password=False))
        _thread(lambda: _accept(listener, wire, (parsed.host or "127.0.0.1", parsed.port or 5432)))
        yield wire
    for end in wire.sockets:
        _hang_up(end)
        end.close()


def _accept(listener: socket.socket, wire: Wire, address: tuple[str, int]) -> None:
    with suppress(OSError):
        while True:
            client, _ = listener.accept()
            if wire.down:
                client.close()
                continue
            server = socket.create_connection(address)
            wire.sockets += [client, server]
            _thread(lambda client=client, server=server: wire.forward(client, server))  # type: ignore[misc]
            _thread(lambda client=client, server=server: _back(server, client))  # type: ignore[misc]


def _thread(work: Callable[[], None]) -> None:
    threading.Thread(target=work, daemon=True).start()
