"""The page at `/`: works without JavaScript, and what a user typed is never markup."""

from __future__ import annotations

import re
from collections.abc import Callable

from fastapi.testclient import TestClient

from api.routes.pages import PAGES
from tests.api.playing import Play, epoch, step

Connect = Callable[..., TestClient]


def test_the_jobs_are_a_table_without_javascript(client: TestClient, play: Play) -> None:
    job = play.running(name="my job")
    play.tell(job, epoch(2), step(3, epoch=3))
    page = client.get("/").text

    assert f'href="/v1/jobs/{job.id}"' in page
    assert "my job" in page
    assert "running" in page
    assert "0.5" in page
    assert "<progress" in page
    assert 'lang="en"' in page


def test_a_loss_that_is_not_finite_does_not_break_the_page(client: TestClient, play: Play) -> None:
    job = play.running()
    play.tell(job, epoch(1, loss=float("nan"), best=False))

    assert client.get("/").status_code == 200


def test_the_page_and_its_files_ask_no_other_host_and_run_nothing_inline(client: TestClient) -> None:
    answer = client.get("/")

    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert re.findall(r"<script(?![^>]*\bsrc=)|\bstyle=|\bon\w+=|https?://", answer.text) == []
    addresses = re.findall(r'(?:src|href)="(/static/[^"]+)"', answer.text)
    assert {client.get(address).status_code for address in addresses} == {200}
    for file in (PAGES / "static").glob("*.js"):
        assert not re.search(r"innerHTML|insertAdjacentHTML|document\.write|\beval\(|https?://", file.read_text())


def test_what_a_user_typed_is_text(client: TestClient, play: Play) -> None:
    play.queued(name='<img src=x onerror="alert(1)">{{7*7}}')
    page = client.get("/").text

    assert "<img" not in page
    assert "&lt;img" in page
    assert "{{7*7}}" in page


def test_with_a_key_set_the_page_shows_nothing_before_it_is_given(connect: Connect, play: Play) -> None:
    play.queued(name="hidden-name")
    page = connect(api_key="k").get("/")

    assert page.status_code == 200
    assert "hidden-name" not in page.text
    assert "needs its key" in page.text
