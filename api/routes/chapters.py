"""The help at `/help`: the documentation, and the reference out of the code; it needs no key."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import FileResponse, RedirectResponse, Response

from api.pages.help import reference
from api.pages.help.chapters import CHAPTERS, SECTIONS, Chapter, beside, picture
from api.pages.help.markdown import rendered
from api.pages.rendering import page

router = APIRouter(prefix="/help", include_in_schema=False)


@router.get("")
async def show_help() -> Response:
    """The first chapter."""
    return RedirectResponse(next(iter(CHAPTERS.values())).address)


@router.get("/pictures/{name}")
async def show_picture(request: Request, name: str) -> Response:
    """A picture of the chapters."""
    file = picture(name)
    if file is None:
        told = f"The help has no picture {name[:80]!r}."
        return page(request, "missing.html", status=404, title="Not here", sentence=told)
    return FileResponse(file, media_type="image/png", headers={"Cache-Control": "no-cache"})


@router.get("/{slug}")
async def show_chapter(request: Request, slug: str) -> Response:
    """One chapter."""
    chapter = CHAPTERS.get(slug)
    if chapter is None:
        told = f"The help has no chapter {slug[:80]!r}: choose one of {', '.join(CHAPTERS)}."
        return page(request, "missing.html", status=404, title="Not here", sentence=told)
    before, behind = beside(chapter)
    name, facts = _text(request, chapter)
    return page(request, name, chapter=chapter, sections=SECTIONS, before=before, behind=behind, **facts)


def _text(request: Request, chapter: Chapter) -> tuple[str, dict[str, Any]]:
    """The template of a chapter, and what it shows."""
    if chapter.path is not None:
        text = rendered(chapter.path)
        return "help/text.html", {"html": text.html, "headings": text.headings}
    if chapter.slug == "spec":
        groups = reference.spec_groups()
        return "help/spec.html", {"groups": groups, "headings": [(one.name.lower(), one.name) for one in groups]}
    if chapter.slug == "parts":
        kinds = reference.part_groups()
        return "help/parts.html", {"kinds": kinds, "headings": [(kind, kind.capitalize()) for kind in kinds]}
    found = reference.routes(request.app.openapi())
    return "help/api.html", {"routes": found, "headings": [(tag, tag.capitalize()) for tag in found]}
