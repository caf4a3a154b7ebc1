"""A browser as a reader has it: Chromium asked by its own protocol, with no debugger on the page."""

from __future__ import annotations

import itertools
import json
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

FLAGS = ("--no-sandbox", "--disable-gpu", "--window-size=1280,900", "--no-first-run", "--disable-background-networking")
STARTED_WITHIN_S = 30.0
LOOK_EVERY_S = 0.05


class Tab:
    """One page. Playwright's has a debugger attached, which doubles what a script takes to start."""

    def __init__(self, socket: ClientConnection, target: str) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self._session: str | None = None
        self._session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        """A method's result; what the browser tells in between is not listened to."""
        number = next(self._numbers)
        asked = {"id": number, "method": method, "params": params}
        self._socket.send(json.dumps(asked | ({"sessionId": self._session} if self._session else {})))
        while (told := json.loads(self._socket.recv(STARTED_WITHIN_S))).get("id") != number:
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
        """Return once an expression holds. Raises TimeoutError."""
        deadline = time.monotonic() + within_s
        while not self.value(f"!!({expression})"):
            if time.monotonic() > deadline:
                raise TimeoutError(f"the page never came to: {expression}")
            time.sleep(LOOK_EVERY_S)


@contextmanager
def tab(chromium: str, profile: str) -> Iterator[Tab]:
    """A tab of a browser that is started on `profile`, a folder that holds what it keeps between visits."""
    (Path(profile) / "DevToolsActivePort").unlink(missing_ok=True)
    with tempfile.TemporaryFile() as told:
        process = subprocess.Popen(
            [
                chromium,
                "--headless=new",
                *FLAGS,
                "--remote-debugging-port=0",
                f"--user-data-dir={profile}",
                "about:blank",
            ],
            stderr=told,
        )
        try:
            with connect(_address(Path(profile)), max_size=None, compression=None) as socket:
                yield _first_tab(socket)
                socket.send(json.dumps({"id": 0, "method": "Browser.close"}))
                process.wait(STARTED_WITHIN_S)
        finally:
            process.kill()
            process.wait()


def _address(profile: Path) -> str:
    """Where the browser listens, as it writes it into its profile once it does."""
    deadline = time.monotonic() + STARTED_WITHIN_S
    place = profile / "DevToolsActivePort"
    while not (place.exists() and len(lines := place.read_text().split()) == 2):
        if time.monotonic() > deadline:
            raise TimeoutError("Chromium did not start")
        time.sleep(LOOK_EVERY_S)
    return f"ws://127.0.0.1:{lines[0]}{lines[1]}"


def _first_tab(socket: ClientConnection) -> Tab:
    socket.send(json.dumps({"id": 0, "method": "Target.getTargets"}))
    told = json.loads(socket.recv(STARTED_WITHIN_S))
    return Tab(socket, next(one["targetId"] for one in told["result"]["targetInfos"] if one["type"] == "page"))
