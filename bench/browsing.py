"""A browser as a reader has it: Chromium asked by its own protocol, with no debugger on the page."""

from __future__ import annotations

import itertools
import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

from bench.service import wait_until

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--window-size=1280,900",
    "--no-first-run",
    "--disable-background-networking",
    "--remote-debugging-port=0",
)
ANSWERS_WITHIN_S = 30.0
LOOK_EVERY_S = 0.05


class Tab:
    """The browser's first page. Playwright's has a debugger attached, which doubles what a script takes to start."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self._session: dict[str, str] = {}
        targets = self.ask("Target.getTargets")["targetInfos"]
        page = next(one["targetId"] for one in targets if one["type"] == "page")
        self._session = {"sessionId": self.ask("Target.attachToTarget", targetId=page, flatten=True)["sessionId"]}

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        """A method's result; what the browser tells in between is not listened to."""
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": params, **self._session}))
        while (told := json.loads(self._socket.recv(ANSWERS_WITHIN_S))).get("id") != number:
            pass
        if "error" in told:
            raise RuntimeError(f"{method}: {told['error']['message']}")
        result: dict[str, Any] = told["result"]
        return result

    def before_each_page(self, script: str) -> None:
        """Run a script in each page that opens from now on, ahead of its own."""
        self.ask("Page.enable")
        self.ask("Page.addScriptToEvaluateOnNewDocument", source=script)

    def goto(self, url: str) -> None:
        """Begin to open an address."""
        self.ask("Page.navigate", url=url)

    def value(self, expression: str) -> Any:
        """What the page makes of a JavaScript expression."""
        told = self.ask("Runtime.evaluate", expression=expression, returnByValue=True)
        return told["result"].get("value")

    def wait_for(self, expression: str, *, within_s: float) -> None:
        """Return once an expression holds; raises TimeoutError."""
        never = f"the page never came to: {expression}"
        wait_until(
            lambda: bool(self.value(f"!!({expression})")), within_s=within_s, every_s=LOOK_EVERY_S, otherwise=never
        )

    def close(self) -> None:
        """End the browser, which then keeps what it learned in its profile."""
        self._session = {}
        self.ask("Browser.close")


@contextmanager
def tab(chromium: str, profile: str) -> Iterator[Tab]:
    """A tab of a browser that is started on `profile`, a folder that holds what it keeps between visits."""
    place = Path(profile) / "DevToolsActivePort"
    place.unlink(missing_ok=True)
    command = [chromium, *FLAGS, f"--user-data-dir={profile}", "about:blank"]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: len(_lines(place)) == 2, every_s=LOOK_EVERY_S, otherwise="Chromium did not start")
        port, path = _lines(place)
        with connect(f"ws://127.0.0.1:{port}{path}", max_size=None, compression=None) as socket:
            page = Tab(socket)
            yield page
            page.close()
            process.wait(ANSWERS_WITHIN_S)
    finally:
        process.kill()
        process.wait()


def _lines(place: Path) -> list[str]:
    """Where the browser listens, as it writes it into its profile once it does."""
    return place.read_text().split() if place.exists() else []
