"""The list of jobs and what all pages share: they work without JavaScript, and what a user typed is never markup."""

from __future__ import annotations

import html
import re
from collections.abc import Callable

from fastapi.testclient import TestClient

from api.pages.assets import HINT, PLOTLY, STATIC, modules
from api.routes.pages import SHOWN
from tests.api.playing import Play, epoch, step

Connect = Callable[..., TestClient]
SVG_SPACE = "http://www.w3.org/2000/svg"
"""A name that no one asks for anything."""


def test_the_jobs_are_a_table_without_javascript(client: TestClient, play: Play) -> None:
    job = play.running(name="my job")
    play.tell(job, epoch(2), step(3, epoch=3))
    page = client.get("/").text

    assert f'href="/jobs/{job.id}"' in page
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
    for file in STATIC.glob("*.js"):
        script = file.read_text().replace(SVG_SPACE, "")
        assert not re.search(r"innerHTML|insertAdjacentHTML|document\.write|\beval\(|https?://", script)


def test_what_a_user_typed_is_text(client: TestClient, play: Play) -> None:
    play.queued(name='<img src=x onerror="alert(1)">{{7*7}}')
    page = client.get("/").text

    assert "<img src=x" not in page
    assert "&lt;img" in page
    assert "{{7*7}}" in page


def test_with_a_key_set_the_page_shows_nothing_before_it_is_given(connect: Connect, play: Play) -> None:
    play.queued(name="hidden-name")
    page = connect(api_key="k").get("/")

    assert page.status_code == 200
    assert "hidden-name" not in page.text
    assert "needs its key" in page.text


def test_a_page_that_has_not_changed_is_a_304(client: TestClient, play: Play) -> None:
    job = play.running()
    etag = client.get("/").headers["ETag"]
    assert client.get("/", headers={"If-None-Match": etag}).status_code == 304

    play.tell(job, epoch(1))
    assert client.get("/", headers={"If-None-Match": etag}).status_code == 200


def test_with_the_key_the_page_shows_what_it_hides_from_others(connect: Connect, play: Play) -> None:
    play.queued(name="hidden-name")
    page = connect(api_key="k").get("/", headers={"Authorization": "Bearer k"})

    assert "hidden-name" in page.text
    assert "Authorization" in page.headers["Vary"]


def test_plotly_comes_packed_and_is_kept_for_good(client: TestClient) -> None:
    packed = client.get(PLOTLY)
    whole = client.get(PLOTLY, headers={"Accept-Encoding": "identity"})

    assert packed.headers["Content-Encoding"] == "gzip"
    assert int(packed.headers["Content-Length"]) < 2_000_000 < int(whole.headers["Content-Length"])
    assert packed.content == HINT + whole.content
    assert {answer.headers["Cache-Control"] for answer in (packed, whole)} == {"public, max-age=31536000, immutable"}


def test_a_page_asks_for_all_its_modules_at_once(client: TestClient, play: Play) -> None:
    text = client.get(f"/jobs/{play.queued().id}").text
    asked = re.findall(r'<link rel="modulepreload" href="([^"]+)"', text)

    assert asked == list(modules("job.js"))
    assert {"/static/job.js", "/static/live.js", "/static/sse.js"} <= set(asked)
    imported = {name for file in asked for name in re.findall(r'from "\.(/\w+\.js)"', client.get(file).text)}
    assert {f"/static{name}" for name in imported} <= set(asked)


def test_the_pages_own_files_are_asked_for_each_time(client: TestClient) -> None:
    first = client.get("/static/api.js")
    again = client.get("/static/api.js", headers={"If-None-Match": first.headers["ETag"]})

    assert (first.headers["Cache-Control"], again.status_code) == ("no-cache", 304)


def test_jobs_are_found_by_status_and_by_a_part_of_their_name(client: TestClient, play: Play) -> None:
    done, waiting = play.ended(name="beta_%"), play.queued(name="Alpha")
    asked = {"?status=queued": {waiting.id}, "?q=ALPH": {waiting.id}, "?q=a_%25": {done.id}, "?status=": None}

    for address, wanted in asked.items():
        found = set(re.findall(r'<tr id="(\w+)"', client.get(f"/{address}").text))
        assert found == ({waiting.id, done.id} if wanted is None else wanted), address
    assert 'value="&lt;b&gt;"' in client.get("/?q=<b>").text
    assert "No job is like this" in client.get("/?q=gamma").text


def test_older_jobs_are_a_link_away(client: TestClient, play: Play) -> None:
    ids = [play.queued(name="many").id for _ in range(SHOWN + 2)]
    first = client.get("/?q=many").text
    link = re.search(r'href="([^"]+)" rel="next"', first)

    assert re.findall(r'<tr id="(\w+)"', first) == ids[:1:-1]
    assert link is not None
    assert re.findall(r'<tr id="(\w+)"', client.get(html.unescape(link[1])).text) == ids[1::-1]
    assert client.get("/?after=nonsense").status_code == 422


def test_the_oldest_jobs_come_first_where_the_address_says_so(client: TestClient, play: Play) -> None:
    ids = [play.queued(name="many").id for _ in range(SHOWN + 2)]
    first = client.get("/?order=asc&q=many").text
    link = re.search(r'href="([^"]+)" rel="next"', first)

    assert re.findall(r'<tr id="(\w+)"', first) == ids[:SHOWN]
    assert "oldest first" in first
    assert link is not None
    assert re.findall(r'<tr id="(\w+)"', client.get(html.unescape(link[1])).text) == ids[SHOWN:]


def test_a_columns_head_orders_the_list_and_then_the_other_way_round(client: TestClient, play: Play) -> None:
    ids = [play.ended(epochs=epochs, name="many").id for epochs in (1, 3, 2)]
    by_loss = [ids[1], ids[2], ids[0]]
    plain = client.get("/?q=many&status=succeeded").text
    assert re.findall(r'aria-sort="(\w+)">\s*<a[^>]*>([\w ()]+)', plain) == [("descending", "Created (UTC)")]

    for sort, wanted in (("ascending", by_loss), ("descending", by_loss[::-1])):
        link = re.search(r'<a href="([^"]+)" title="\w+ loss first">Best', plain)
        assert link is not None
        plain = client.get(html.unescape(link[1])).text
        assert re.findall(r'<tr id="(\w+)"', plain) == wanted
        assert re.findall(r'aria-sort="(\w+)">\s*<a[^>]*>([\w ()]+)', plain) == [(sort, "Best")]
        assert 'value="many"' in plain
    assert "More jobs" not in plain
    assert client.get("/?order=sideways").status_code == 200


def test_a_queued_job_is_shown_with_its_place(client: TestClient, play: Play) -> None:
    play.queued(name="first"), play.queued(name="second")
    rows = re.findall(r"<tr id=.*?</tr>", client.get("/").text, re.DOTALL)

    assert [re.search(r"number (\d)", row)[1] for row in rows] == ["2", "1"]  # type: ignore[index]


def test_an_empty_list_says_what_to_do_next(client: TestClient) -> None:
    page = client.get("/").text
    assert "No jobs yet" in page
    assert '<a href="/new">Make the first one' in page
