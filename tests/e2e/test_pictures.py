"""Pictures of the pages, of real jobs; `make pictures` puts them where the documentation shows them."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any, Literal

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.e2e.lasting import Lasting

EXAMPLES = Path(__file__).parents[2] / "examples"
SIZE = (1280, 800)
MOST_BYTES = 150_000
WITHIN_MS = 20_000
CURVES = "(least) => (document.getElementById('chart').data ?? []).length >= least"
SAME = """(host) => {
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = texts.nextNode(); node; node = texts.nextNode()) {
    node.textContent = node.textContent.replaceAll(host, 'laptop').replace(/job_\\w{32}/g, 'job_01a206aa1624')
      .replace(/\\d\\d-\\d\\d (\\d\\d:){2}\\d\\d/g, '11-23 09:41:00');
  }
}"""
"""What differs from run to run and says nothing: the name of the machine, ids and times."""
Scheme = Literal["light", "dark"]


@pytest.fixture(scope="module")
def jobs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Lasting, Mapping[str, str]]]:
    """A service of its own, and its jobs by their names, all ended; they were made one after another."""
    running = Lasting(tmp_path_factory.mktemp("pictures") / "data")
    made = {spec["name"]: running.submit(**spec) for spec in specs()}
    for job_id in made.values():
        running.ended(job_id)
    yield running, made
    running.close()


def specs() -> Iterator[dict[str, Any]]:
    """What a day's work looks like."""
    for name in ("02_iris_linear", "11_wine_folds"):
        yield json.loads((EXAMPLES / f"{name}.json").read_text())
    yield {
        "name": "diabetes-too-fast",
        "dataset": "diabetes",
        "model": "linear",
        "optimizer": "sgd",
        "lr": 1e6,
        "preprocess": {"target": "standard"},
    }
    first = json.loads((EXAMPLES / "01_digits_mlp.json").read_text())
    for number, lr in enumerate((0.3, 0.1, 0.03, 0.01), 1):
        yield {**first, "name": f"sweep-{number}", "lr": lr, "epochs": 25}
    yield json.loads((EXAMPLES / "07_digits_cnn.json").read_text())


@pytest.fixture(scope="module")
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the pictures go."""
    asked: str | None = request.config.getoption("--pictures")
    found = Path(asked) if asked else tmp_path_factory.mktemp("taken")
    found.mkdir(parents=True, exist_ok=True)
    return found


def drawn(page: Page, least: int) -> None:
    page.wait_for_function(CURVES, arg=least, timeout=WITHIN_MS)


def planned(page: Page) -> None:
    expect(page.locator("#planned")).to_contain_text("1,437 train", timeout=WITHIN_MS)


def listed(page: Page) -> None:
    expect(page.locator("tbody tr")).to_have_count(8)


TAKEN: tuple[tuple[str, str, Scheme, Callable[[Page], None]], ...] = (
    ("jobs", "/", "light", listed),
    ("job", "/jobs/{digits-cnn}", "light", lambda page: drawn(page, 5)),
    ("job-dark", "/jobs/{digits-cnn}", "dark", lambda page: drawn(page, 5)),
    (
        "compare",
        "/compare?jobs={sweep-1},{sweep-2},{sweep-3},{sweep-4}&scale=log",
        "light",
        lambda page: drawn(page, 4),
    ),
    ("new", "/new", "light", planned),
)


@pytest.mark.full
def test_the_pages_are_taken_as_they_are(
    browser: Browser, jobs: tuple[Lasting, Mapping[str, str]], folder: Path
) -> None:
    service, made = jobs
    context = browser.new_context(base_url=service.url, viewport={"width": SIZE[0], "height": SIZE[1]})
    page = context.new_page()
    for name, address, scheme, ready in TAKEN:
        page.emulate_media(color_scheme=scheme)
        page.goto(address.format(**made))
        ready(page)
        page.evaluate(SAME, socket.gethostname())
        file = folder / f"{name}.png"
        keep(page.screenshot(animations="disabled"), file)
        with Image.open(file) as taken:
            assert taken.size == SIZE
        assert file.stat().st_size < MOST_BYTES, name
    context.close()


def keep(picture: bytes, file: Path) -> None:
    """Store a picture with 256 colours, which is a third of its size."""
    with Image.open(BytesIO(picture)) as taken:
        taken.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(file, optimize=True)
