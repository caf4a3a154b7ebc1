"""`doctor`: what stands in the way of a service, each with its remedy."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from core import wire
from core.sentences import plain
from trainwire.commands.options import AsJson, console

_COLOURS = {"ok": "green", "remark": "yellow", "broken": "red"}


def doctor(
    *,
    data: Annotated[
        Path | None,
        typer.Option(help="The folder of a service.", show_default="TRAINWIRE_DATABASE_URL's, else ./trainwire-data"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Look at everything that a service stands on, and say how to mend what is broken."""
    from trainwire.doctor.examination import examine

    here, found = console(), []
    for finding in examine(data):
        found.append(finding)
        if not as_json:
            mark = f"[{_COLOURS[finding.verdict]}]{finding.verdict:<7}[/]"
            here.print(f"{mark} {finding.name:<15} {escape(plain(finding.seen))}", soft_wrap=True)
            if finding.remedy:
                here.print(f"{'':<23} {escape(plain(finding.remedy))}", soft_wrap=True)
    count = sum(finding.verdict == "broken" for finding in found)
    if as_json:
        checks = [{"name": one.name, "verdict": one.verdict, "seen": one.seen, "remedy": one.remedy} for one in found]
        print(wire.dumps({"broken": count, "checks": checks}))
    else:
        here.print(f"{count or 'nothing'} {'are' if count > 1 else 'is'} broken")
    raise typer.Exit(1 if count else 0)
