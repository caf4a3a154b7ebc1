"""The help: every chapter is there, every link leads somewhere, and the reference leaves nothing out."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape

import pytest
from fastapi.testclient import TestClient

from api.pages.help.chapters import CHAPTERS, Chapter
from api.pages.help.markdown import address_of, rendered
from core.catalog import catalog
from core.spec import JobSpec

ADDRESSES = [one.address for one in CHAPTERS.values()]
WRITTEN = [one for one in CHAPTERS.values() if one.path is not None]


def text(client: TestClient, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return answer.text


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_chapter_has_one_title_and_says_where_one_is(client: TestClient, address: str) -> None:
    found = text(client, address)
    assert found.count("<h1") == 1
    here = re.findall(r'<a href="([^"]+)" aria-current="page">', found)
    assert here == ["/help", address]
    assert "unsafe-inline" not in client.get(address).headers["Content-Security-Policy"]


@pytest.mark.parametrize("chapter", WRITTEN, ids=lambda one: one.slug)
def test_every_link_of_a_chapter_leads_to_a_page_and_an_anchor_that_is_there(
    client: TestClient, chapter: Chapter
) -> None:
    assert chapter.path is not None
    pages: dict[str, str] = {}
    for link in set(re.findall(r'href="([^"]+)"', rendered(chapter.path).html)):
        address, _, anchor = unescape(link).partition("#")
        if "://" in address:
            continue
        target = address or chapter.address
        found = pages.setdefault(target, text(client, target))
        assert not anchor or f'id="{anchor}"' in found, link


@pytest.mark.parametrize("chapter", WRITTEN, ids=lambda one: one.slug)
def test_every_picture_of_a_chapter_is_there_and_told_in_words(client: TestClient, chapter: Chapter) -> None:
    assert chapter.path is not None
    for picture in re.findall(r"<img [^>]+>", rendered(chapter.path).html):
        (source,) = re.findall(r'src="([^"]+)"', picture)
        answer = client.get(source)
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/png"), source
        assert answer.content.startswith(b"\x89PNG")
        assert len(answer.content) < 150_000
        assert re.search(r'alt="[^"]{20}', picture)


@pytest.mark.parametrize("name", ["other.png", "..%2F..%2FREADME.md", "*.png", "%00"])
def test_a_picture_that_there_is_not_is_told(client: TestClient, name: str) -> None:
    assert client.get(f"/help/pictures/{name}").status_code == 404


def test_the_first_chapter_comes_first_and_each_leads_to_the_next(client: TestClient) -> None:
    assert client.get("/help", follow_redirects=False).headers["Location"] == ADDRESSES[0]
    seen = [ADDRESSES[0]]
    while found := re.search(r'<a href="([^"]+)" rel="next">', text(client, seen[-1])):
        seen.append(found[1])
    assert seen == ADDRESSES


def test_the_reference_leaves_no_field_no_part_and_no_route_out(client: TestClient) -> None:
    spec, parts, api = (text(client, f"/help/{slug}") for slug in ("spec", "parts", "api"))
    assert [name for name in JobSpec.model_fields if f"<code>{name}</code>" not in spec] == []
    assert [one["name"] for kind in catalog().values() for one in kind if f">{one['name']}</h3>" not in parts] == []
    paths = client.get("/openapi.json").json()["paths"]
    assert [path for path in paths if f"<code>{path}</code>" not in api] == []
    assert "<td>number above 0 to 1,000,000 | auto</td>" in spec
    assert "<td>part</td><td>required</td>" in spec


def test_a_chapter_that_there_is_not_is_told(client: TestClient) -> None:
    answer = client.get("/help/%3Cscript%3E")
    assert answer.status_code == 404
    assert "quickstart" in answer.text
    assert "<script>" not in answer.text


def test_the_help_needs_no_key(connect: Callable[..., TestClient]) -> None:
    assert connect(api_key="secret-enough-for-a-test").get("/help/quickstart").status_code == 200


@pytest.mark.parametrize(
    ("link", "address"),
    [
        ("training.md#the-engine", "/help/training#the-engine"),
        ("../ARCHITECTURE.md", "/help/how-it-works"),
        ("https://pytorch.org", "https://pytorch.org"),
        ("#here", "#here"),
        ("/new", "/new"),
        ("../examples/plugin", None),
        ("pictures/job.png", "/help/pictures/job.png"),
        ("docs/pictures/job.png", "/help/pictures/job.png"),
    ],
)
def test_links_between_files_become_links_between_pages(link: str, address: str | None) -> None:
    assert address_of(link) == address
