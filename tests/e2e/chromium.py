"""Debian's Chromium: found, or installed where that may be done; a laptop without it skips, with CI=true that fails."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def chromium() -> str:
    """The path of the browser."""
    found = shutil.which("chromium")
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        for step in (("update",), ("install", "-y", "--no-install-recommends", "chromium")):
            subprocess.run(["apt-get", "-qq", *step], check=False, capture_output=True, timeout=240)
        found = shutil.which("chromium")
    if found is None:
        message = "needs Chromium: apt-get install chromium"
        if os.environ.get("CI") == "true":
            raise FileNotFoundError(message)
        pytest.skip(message)
    return found
