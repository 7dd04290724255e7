"""A command with all that obeying it needs, and what became of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.core.comments import replies
from app.core.readiness import Readiness, assess
from app.core.text import Block
from app.core.ticket import Ticket
from app.ports import Tracker
from app.reporting.report import Agent
from app.store import objections, runs, tickets
from app.store.database import Database
from app.store.sites import Row


@dataclass(frozen=True, slots=True)
class Desk:
    """What commands are obeyed with. agent: the one of a run, for people."""

    db: Database
    tracker: Tracker
    site: Row
    agent: Callable[[Row], Agent]


@dataclass(frozen=True, slots=True)
class Asked:
    """A command with all that obeying it needs. id: of the comment or press. by: an account.
    written, edited: when the comment was, by Jira's clock. project: None = not connected."""

    desk: Desk
    ticket: Ticket
    project: Row | None
    id: str
    by: str
    written: datetime
    edited: datetime
    now: datetime


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a command. `reply` is empty where another comment shows it."""

    reason: str
    reply: Sequence[Block] = ()
    refused: bool = False


def said(reason: str, text: str) -> Done:
    return Done(reason, replies.done_reply(text))


def look(asked: Asked, values: Mapping[str, Any] | None = None) -> None:
    """Write the wish down and have the ticket looked at: its comment says so."""
    site_id, issue_id = asked.desk.site["id"], asked.ticket.id
    ident = f"asked:{asked.id}:{asked.edited.isoformat()}"
    asking = {**(values or {}), "asked_at": asked.edited}
    tickets.ask(asked.desk.db, site_id, issue_id, asking, ident, "asked", asked.now)


def runs_of(asked: Asked) -> list[Row]:
    return runs.of_ticket(asked.desk.db, asked.desk.site["id"], asked.ticket.id)


def shown_text(asked: Asked) -> Row | None:
    """What we know of the ticket, where its text stood in our comment when the person wrote: not
    one that was slipped in since, or was not judged yet."""
    row = tickets.get(asked.desk.db, asked.desk.site["id"], asked.ticket.id)
    shown = row is not None and row["told_hash"] == asked.ticket.spec_hash()
    return row if row is not None and shown and asked.edited > row["told_at"] else None


def judged(asked: Asked) -> Readiness:
    """The checklist's word on the text as it is now, less what people called wrong."""
    ticket, project = asked.ticket, asked.project
    assert project is not None, "a project that is not connected is not listened to"
    site_id, spec_hash = asked.desk.site["id"], ticket.spec_hash()
    return assess(
        ticket.summary,
        ticket.description,
        ticket.issue_type,
        must_haves=frozenset(project["must_haves"]),
        threshold=project["threshold"],
        objections=objections.held(asked.desk.db, site_id, ticket.id, spec_hash),
    )
