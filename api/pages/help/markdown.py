"""Markdown as a page shows it: headings with anchors, tables that scroll, and links between chapters."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.token import Token
from mdit_py_plugins.anchors import anchors_plugin

from api.pages.help.chapters import BY_FILE

_ALIEN = re.compile(r"[^\w\- ]")


@dataclass(frozen=True, slots=True)
class Text:
    """A chapter's text as HTML, with its headings of the second level as anchors and words."""

    html: str
    headings: tuple[tuple[str, str], ...]


@functools.lru_cache(maxsize=64)
def rendered(path: Path) -> Text:
    """The Markdown file at `path`; what it says in HTML is shown as it stands."""
    tokens = _MARKDOWN.parse(path.read_text(encoding="utf-8"))
    for token in tokens:
        _lead(token.children or ())
    return Text(_MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {}), tuple(_headings(tokens)))


def address_of(link: str) -> str | None:
    """Where a link of the documentation leads here: a page, an anchor or another site; None if no page has it."""
    target, _, anchor = link.partition("#")
    if not target or "://" in target or target.startswith("/"):
        return link
    if (picture := PurePosixPath(target)).parent.name == "pictures":
        return f"/help/pictures/{picture.name}"
    chapter = BY_FILE.get(Path(target).name)
    if chapter is None:
        return _ELSEWHERE.get(Path(target).name)
    return f"{chapter.address}#{anchor}" if anchor else chapter.address


def slug_of(heading: str) -> str:
    """The anchor of a heading, as code hosts make it."""
    return _ALIEN.sub("", heading.strip().lower()).replace(" ", "-")


_ELSEWHERE = {"README.md": "/help/quickstart", "openapi.json": "/docs"}


def _lead(tokens: Sequence[Token]) -> None:
    """Let links lead to pages, and pictures to their files; where there is no page, a link's words stand alone."""
    leads = True
    for token in tokens:
        if token.type == "image":
            token.attrSet("src", address_of(str(token.attrGet("src"))) or "")
        if token.type == "link_open":
            address = address_of(str(token.attrGet("href") or ""))
            token.attrs, leads = ({} if address is None else {"href": address}), address is not None
        if token.type in ("link_open", "link_close") and not leads:
            token.tag = "span"


def _headings(tokens: Sequence[Token]) -> list[tuple[str, str]]:
    """The anchors and words of the second level."""
    found = []
    for opening, inline in pairwise(tokens):
        if opening.type == "heading_open" and opening.tag == "h2":
            found.append((str(opening.attrGet("id")), inline.content.replace("`", "")))
    return found


def _scrolling(self: Any, tokens: Sequence[Token], at: int, options: Any, env: Any) -> str:
    """A table in a box of its own, which a narrow screen can push aside; it is reached by the keyboard."""
    opened = tokens[at].nesting == 1
    cell = str(self.renderToken(tokens, at, options, env))
    return f'<div class="wide" tabindex="0">{cell}' if opened else f"{cell}</div>"


def _reached(_self: Any, tokens: Sequence[Token], at: int, _options: Any, _env: Any) -> str:
    """Code that is wider than the page is pushed aside by the keyboard too."""
    return f'<pre tabindex="0"><code>{escapeHtml(tokens[at].content)}</code></pre>\n'


def _made() -> MarkdownIt:
    made = MarkdownIt("commonmark", {"html": False}).enable("table").use(anchors_plugin, max_level=4, slug_func=slug_of)
    for side in ("table_open", "table_close"):
        made.add_render_rule(side, _scrolling)
    for kind in ("fence", "code_block"):
        made.add_render_rule(kind, _reached)
    return made


_MARKDOWN = _made()
