"""`signalbox demo`: the whole story on one machine, without any account."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from app.cli.options import TRY, AsJson


def register(app: typer.Typer) -> None:
    app.command("demo", rich_help_panel=TRY)(demo)


def demo(
    once: Annotated[
        bool, typer.Option("--once", help="Play the story by itself, then end.")
    ] = False,
    agent: Annotated[
        str,
        typer.Option(
            metavar="NAME", help="rehearsal (no model, no cost) or claude (takes a key and money)."
        ),
    ] = "rehearsal",
    directory: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            resolve_path=True,
            help="Where to keep everything; default: a fresh folder.",
        ),
    ] = None,
    port: Annotated[
        int, typer.Option(metavar="PORT", min=0, max=65534, help="Of the service; 0 = any.")
    ] = 0,
    as_json: AsJson = False,
) -> None:
    """Show the journey of a ticket with a sandbox Jira, a sample repository and a rehearsal agent.

    Exit code 0 only if the story ended as told.

    Examples:

    \b
    signalbox demo
    signalbox demo --once --json
    """
    from app.cli import demo_run

    key = os.environ.get("ANTHROPIC_API_KEY", "")
    code = demo_run.run(
        once=once, as_json=as_json, agent=agent, directory=directory, port=port, api_key=key
    )
    raise typer.Exit(code)
