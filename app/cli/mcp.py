"""`signalbox mcp`: the score in an editor, over the Model Context Protocol."""

from __future__ import annotations

import typer

from app.cli.options import RUN


def register(app: typer.Typer) -> None:
    app.command("mcp", rich_help_panel=RUN)(mcp)


def mcp() -> None:
    """Answer an editor or agent over stdin and stdout: Model Context Protocol.

    Tools: score_spec and improve_spec judge a text by the checklist, without any account;
    ticket_status and budget_left read this installation's database. None of them writes, asks a
    model or sends a text anywhere.

    Example:

    \b
    claude mcp add signalbox -- signalbox mcp
    """
    from app.cli.mcp_server import build

    build().run("stdio")
