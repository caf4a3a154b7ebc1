"""`plan`: what a job would be and cost, without one."""

from __future__ import annotations

from typing import Annotated

import typer

from trainwire.client import Client
from trainwire.commands.making import SPEC_WANTED
from trainwire.commands.options import AsJson, Url, console, print_json
from trainwire.exits import errors_told
from trainwire.plans import plan_page
from trainwire.reading import json_object


def plan(
    *,
    file: Annotated[str, typer.Argument(metavar="FILE|-", help="A job spec in JSON; - reads standard input.")],
    probe: Annotated[bool, typer.Option("--probe", help="Have a worker try it out: some seconds.")] = False,
    as_json: AsJson = False,
    url: Url = None,
) -> None:
    """Show what a job would be: its sizes, its memory, its time, and who could run it."""
    with errors_told(as_json=as_json), Client(url) as client:
        found = client.plan(json_object(file, what=SPEC_WANTED), probe=probe)
    if as_json:
        print_json(found)
    else:
        console().print(plan_page(found), soft_wrap=True)
