"""Where the service is and how to be let in: what was asked for, the environment, a service on this folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TypedDict
from urllib.parse import urlsplit

from core.errors import BadRequest, NoServer
from core.hosts import is_loopback
from trainwire import folder

USUAL_URL = "http://127.0.0.1:8000"


def service_url(wanted: str | None = None, *, data: Path = folder.USUAL) -> str:
    """`wanted`, else `TRAINWIRE_URL`, else the service that runs on `data`, else port 8000 of this machine.

    Raises BadRequest for what is no address.
    """
    url = wanted or os.environ.get("TRAINWIRE_URL") or folder.running_url(data) or USUAL_URL
    full = (url if "://" in url else f"http://{url}").rstrip("/")
    if not _is_address(full):
        raise BadRequest(f"{url!r} is no address of a service; one looks like {USUAL_URL}.")
    return full


def no_server(url: str, why: object) -> NoServer:
    """The error to raise when nothing answers at `url`; on this machine the remedy is near."""
    near = is_loopback(urlsplit(url).hostname or "")
    return NoServer(
        f"No Trainwire service answers at {url}: {str(why).rstrip('.')}.",
        hint="Start one with: trainwire up" if near else None,
    )


def key_header(api_key: str | None = None) -> dict[str, str]:
    """The header that carries the key: the given one, else `TRAINWIRE_API_KEY`."""
    key = api_key or os.environ.get("TRAINWIRE_API_KEY")
    return {"Authorization": f"Bearer {key}"} if key else {}


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


class Transport(TypedDict):
    """What both HTTP clients are told of the road to a service."""

    trust_env: bool
    verify: bool


def transport(url: str) -> Transport:
    """Proxies are for other machines only; certificates are loaded (30 ms) only where TLS checks them."""
    return {"trust_env": not is_loopback(urlsplit(url).hostname or ""), "verify": urlsplit(url).scheme != "http"}
