"""The socket that the API listens on: may it, can it. It imports no framework, so it is open while those still load."""

from __future__ import annotations

import errno
import socket

from core.errors import StartRefused
from core.hosts import is_loopback

BACKLOG = 2048
VANISHED_MS = 30_000
"""How long the kernel waits for a peer that vanished without a word."""


def check_exposure(host: str, *, has_key: bool) -> None:
    """Raise StartRefused for an address that others reach while there is no key."""
    if not has_key and not is_loopback(host):
        raise StartRefused(
            f"Serving on {host or 'every address'} lets others in, so it needs a key: set TRAINWIRE_API_KEY, "
            "or serve on 127.0.0.1."
        )


def bound(host: str, port: int) -> socket.socket:
    """A listening socket; raises StartRefused with the reason."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (OSError, OverflowError, UnicodeError) as error:
        raise StartRefused(f"There is no address {host!r} with port {port} to serve on.") from error
    found = socket.socket(family, kind, protocol)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        _watch_peers(found)
        found.bind(address)
        found.listen(BACKLOG)
    except OSError as error:
        found.close()
        raise StartRefused(_why_not(error, host, port)) from error
    return found


def _watch_peers(listening: socket.socket) -> None:
    """Let the kernel notice vanished peers; connections that are accepted inherit these."""
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, VANISHED_MS)


def _why_not(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} on {host} is taken: another service listens there; choose another with --port."
    return f"Cannot serve on {host} port {port}: {error.strerror or error}."
