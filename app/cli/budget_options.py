"""How the commands about money name a budget: its level, its subject, its period."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.faults import Mistake

if TYPE_CHECKING:
    from app.admin.limits import Level

Project = Annotated[
    str | None, typer.Option(metavar="KEY", help="For this project; * = each without its own.")
]
Ticket = Annotated[str | None, typer.Option(metavar="KEY", help="For this ticket over its life.")]
PerTicket = Annotated[bool, typer.Option("--per-ticket", help="For each ticket without its own.")]
Person = Annotated[
    str | None,
    typer.Option(metavar="ID", help="For what this account asks for; * = each without its own."),
]
Agent = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="For this kind of agent; * = each without its own."),
]
Period = Annotated[
    str | None,
    typer.Option(metavar="PERIOD", help="day | week | month (default) | once; a ticket's is once."),
]
Why = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; kept in the journal.")]


def one_of(
    project: str | None, ticket: str | None, person: str | None, agent: str | None
) -> tuple[str, str | None]:
    """(level, subject) of at most one that is named; None of them: the site."""
    given = {"project": project, "ticket": ticket, "person": person, "agent": agent}
    named = [(kind, subject) for kind, subject in given.items() if subject is not None]
    if len(named) > 1:
        raise Mistake("A limit is for one of --project, --ticket, --person and --agent.")
    return named[0] if named else ("site", None)


def whose(where: Level) -> str:
    """ "project BILL" or "each ticket without its own"."""
    subject = where.ticket or where.subject
    return f"each {where.kind} without its own" if subject == "*" else f"{where.kind} {subject}"


def user() -> str:
    """Who sits at this machine: the journal's actor."""
    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):  # a container's user may have no name
        return "cli:unknown"
