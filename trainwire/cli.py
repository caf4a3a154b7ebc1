"""The command line: every command under its name, and the exit codes they share."""

from __future__ import annotations

from importlib.metadata import version
from typing import Annotated

import typer

from trainwire.commands import (
    checking,
    datasets,
    exporting,
    following,
    forwarding,
    looking,
    making,
    overseeing,
    planning,
    predicting,
    reporting,
    steering,
)
from trainwire.demo import demo
from trainwire.serving import migrate, up

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (
    up,
    demo,
    making.submit,
    planning.plan,
    following.watch,
    overseeing.top,
    looking.jobs,
    looking.show,
    steering.pause,
    steering.resume,
    steering.cancel,
    making.retry,
    making.fork,
    looking.checkpoints,
    looking.download,
    reporting.report,
    predicting.predict,
    exporting.export,
    forwarding.mlflow,
    steering.delete,
    looking.catalog,
    checking.doctor,
    migrate,
):
    app.command()(command)
app.add_typer(datasets.app, name="datasets")


@app.callback(invoke_without_command=True)
def root(
    *,
    show_version: Annotated[bool, typer.Option("--version", help="Say which version this is.", is_eager=True)] = False,
) -> None:
    """Train PyTorch models over HTTP: submit a spec, watch the losses arrive, take the model home.

    TRAINWIRE_API_KEY is sent where it is set. Exit codes: 0 succeeded, 1 failed, 2 refused or wrong usage,
    3 cancelled, 4 no server, 130 detached.
    """
    if show_version:
        print(f"trainwire {version('trainwire')}")
        raise typer.Exit
