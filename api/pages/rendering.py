"""A template as an answer: with its headers, and with an entity tag, so that a page that looks again gets a 304."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastapi import Request
from starlette.responses import Response
from starlette.templating import Jinja2Templates

from api.answers import digest, names, unchanged
from api.pages.assets import PLOTLY, modules
from api.pages.words import FILTERS, TESTS
from api.version import VERSION

PAGES = Path(__file__).parent

_POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; "
    "object-src 'none'"
)
_CHART_POLICY = f"{_POLICY}; style-src 'self' 'unsafe-inline'"
"""plotly writes styles into what it draws; scripts stay the service's own files, here too."""

_templates = Jinja2Templates(PAGES)
_templates.env.filters.update(FILTERS)
_templates.env.tests.update(TESTS)
_templates.env.globals["modules"] = modules
_templates.env.trim_blocks = _templates.env.lstrip_blocks = True


def page(request: Request, name: str, *, chart: bool = False, status: int = 200, **facts: Any) -> Response:
    """The template `name` with `facts`; `chart` says that curves are drawn on it."""
    known = {"version": VERSION, "plotly": PLOTLY, "here": request.url.path, "locked": False}
    text = _templates.get_template(name).render(known | facts)
    headers = {
        "Content-Security-Policy": _CHART_POLICY if chart else _POLICY,
        "Cache-Control": "no-cache",
        "Referrer-Policy": "no-referrer",
        "Vary": "Authorization",
        "ETag": digest(text),
    }
    if status == 200 and names(request.headers.get("if-none-match"), headers["ETag"]):
        return unchanged(headers["ETag"])
    return Response(text, status, headers, "text/html; charset=utf-8")


def admitted(request: Request) -> bool:
    """Whether this request may see data: no key is set, or it brought the right one."""
    return bool(request.state.admitted)
