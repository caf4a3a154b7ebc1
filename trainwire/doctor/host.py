"""This machine: Python and its packages, SQLite, and what torch can compute on."""

from __future__ import annotations

import json
import platform
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version

from packaging.requirements import Requirement

from trainwire.doctor.findings import Finding, broken, ok, remark

PROBE = "trainwire.doctor.probe"
PROBE_WITHIN_S = 180.0
"""A first import of torch from a cold disk takes half a minute; a device that hangs takes for ever."""
SQLITE = (3, 51, 3)
REPAIRED = {(3, 50): 7, (3, 44): 6}
"""Older branches of SQLite that got the same repair, and in which release."""


def python() -> Iterator[Finding]:
    """Its version, and whether every package is one that Trainwire was made for."""
    try:
        wanted = [Requirement(text) for text in requires("trainwire") or ()]
    except PackageNotFoundError:
        yield remark("python", platform.python_version(), "Trainwire is not installed here: run `make setup`.")
        return
    wrong = [text for one in wanted if one.marker is None and (text := _mismatch(one))]
    if wrong:
        yield broken("python", f"{platform.python_version()}; {', '.join(wrong)}", "Install Trainwire again.")
    else:
        yield ok("python", f"{platform.python_version()}, its packages as wanted")


def plugins() -> Iterator[Finding]:
    """The installed packages that add parts; nothing where there are none."""
    import core.parts  # noqa: F401  (a plugin's names are judged beside Trainwire's own)
    from core.registry import plugins as installed

    for plugin in installed():
        if plugin.error is None:
            yield ok("plugin", f"{plugin.name}, of {plugin.package}")
        else:
            seen = f"{plugin.name}, of {plugin.package}, is left out: {plugin.error}"
            yield broken("plugin", seen, "Mend or remove that package, and start the service again.")


def sqlite() -> Iterator[Finding]:
    """Its version: older ones may damage a file that several connections write at once."""
    seen = sqlite3.sqlite_version_info
    if seen >= SQLITE or seen[2] >= REPAIRED.get(seen[:2], sys.maxsize):
        yield ok("sqlite", sqlite3.sqlite_version)
    else:
        words = "before 3.51.3 several writers at once could damage a file; Trainwire has one, so it is safe"
        yield remark("sqlite", f"{sqlite3.sqlite_version}: {words}", "A newer Python often brings a newer SQLite.")


def torch() -> Iterator[Finding]:
    """A small computation on each device, in a process that may die of it."""
    done = subprocess.run(
        [sys.executable, "-m", PROBE],
        capture_output=True,
        text=True,
        timeout=PROBE_WITHIN_S,
        check=False,
    )
    if done.returncode != 0:
        last = (done.stderr.strip() or f"it ended with {done.returncode}").splitlines()[-1]
        remedy = "Install the torch build for this machine: https://pytorch.org/get-started/locally/"
        yield broken("torch", f"torch cannot be used: {last}", remedy)
        return
    found = json.loads(done.stdout.splitlines()[-1])
    yield ok("torch", found["torch"])
    for device, wrong in found["devices"].items():
        if wrong is None:
            yield ok("device", f"{device} computes")
        else:
            yield broken("device", f"{device}: {wrong}", "Look at its driver; jobs may ask for another device.")


def _mismatch(wanted: Requirement) -> str | None:
    try:
        found = version(wanted.name)
    except PackageNotFoundError:
        return f"{wanted.name} is missing"
    if wanted.specifier.contains(found, prereleases=True):
        return None
    return f"{wanted.name} is {found}, not {wanted.specifier}"
