"""A service that may be killed and started again, at the same address and over the same data."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.acceptance.processes import free_port, up, wait_until

ENDED = {"succeeded", "failed", "cancelled"}


class Lasting:
    """`trainwire up`, and what the tests ask of its API beside the browser."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._port = free_port()
        self._open = ExitStack()
        self.url = f"http://127.0.0.1:{self._port}"
        self.api = httpx.Client(base_url=self.url, timeout=30, trust_env=False)
        self.start()

    def start(self) -> None:
        self._up = self._open.enter_context(up(self._data, "--port", str(self._port)))

    @contextmanager
    def away(self) -> Iterator[None]:
        """Ended as by a power cut, and started again behind the block."""
        self._up.stop(signal.SIGKILL)
        try:
            yield
        finally:
            self.start()

    def close(self) -> None:
        self.api.close()
        self._open.close()

    def submit(self, **spec: Any) -> str:
        answer = self.api.post("/v1/jobs", json=spec)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    def job(self, job_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.api.get(f"/v1/jobs/{job_id}").json()
        return found

    def ended(self, job_id: str) -> dict[str, Any]:
        """The job, once it has ended."""
        wait_until(lambda: self.job(job_id)["status"] in ENDED)
        return self.job(job_id)

    def cancel_all(self) -> None:
        """Let no job of a test take the slots of the next one."""
        for job in self.api.get("/v1/jobs", params={"status": ["queued", "running"]}).json()["data"]:
            self.api.post(f"/v1/jobs/{job['id']}/cancel")

    def epochs(self, job_id: str) -> list[int]:
        rows = self.api.get(f"/v1/jobs/{job_id}/metrics", params={"limit": 10_000}).json()["data"]
        return [row["epoch"] for row in rows]
