"""The commands. Each module here imports what it works with when it is called, so that help is
there at once."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from app.cli import (
    budget,
    connect,
    deliveries,
    demo,
    doctor,
    mcp,
    pause,
    project,
    role,
    rubric,
    scan,
    score,
    secrets,
    serving,
    site,
)
from app.cli.faults import Commands

app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
COMMANDS = (
    demo,
    score,
    scan,
    serving,
    mcp,
    doctor,
    pause,
    deliveries,
    rubric,
    connect,
    site,
    project,
    role,
    budget,
    secrets,
)
for module in COMMANDS:
    module.register(app)


def _version(wanted: bool) -> None:
    if wanted:
        from app import __version__

        typer.echo(f"signalbox {__version__}")
        raise typer.Exit


@app.callback()
def signalbox(
    _: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_version, help="Say the version.")
    ] = False,
) -> None:
    """Stands between a Jira backlog and coding agents: scores tickets, lets fit ones out inside a
    budget, reports.

    Settings come from the environment as SIGNALBOX_<NAME>; `signalbox doctor` looks at all of them.

    Try it without any account: `signalbox demo`.
    """


def main() -> None:
    """The entry point. Whatever the terminal's character set, nothing we print may fail."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    app(prog_name="signalbox")
