"""A comment that is a command: rights are read live, it is obeyed once, and answered once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.core.commands import Command, WrongCommand, parse
from app.core.comments import replies
from app.core.eligibility import Reason
from app.core.rights import holds
from app.core.run import RunRef
from app.core.text import Block
from app.core.ticket import Ticket
from app.ports import Comment, NotFound, Tracker
from app.store import runs, sites, spending, tickets
from app.store.database import Database
from app.store.sites import Row


@dataclass(frozen=True, slots=True)
class Asked:
    """A command with all that obeying it needs."""

    db: Database
    tracker: Tracker
    site: Row
    ticket: Ticket
    comment: Comment
    now: datetime


def obey(
    db: Database, tracker: Tracker, site: Row, issue_id: str, comment_id: str, now: datetime
) -> dict[str, Any]:
    """{"outcome": handled | ignored, "reason"}. The comment is read afresh: the payload's author
    and text play no part."""
    try:
        comment = tracker.comment(issue_id, comment_id)
        ticket = tracker.ticket(issue_id)
    except NotFound:
        return _ignored("the comment or its ticket is gone, or hidden from Signalbox")
    if comment.author.id == site["account_id"] or comment.key is not None:
        return _ignored("our own comment")
    command = parse(comment.text, site["account_id"])
    if command is None:
        return _ignored("not a command")
    if why := _deaf(db, site, ticket, comment, command):
        return _ignored(why)
    name = command.name if isinstance(command, Command) else "?"
    if tickets.was_obeyed(db, site["id"], comment_id, name):
        return _ignored("obeyed before")
    done = _answer(Asked(db, tracker, site, ticket, comment, now), command)
    tickets.mark_obeyed(db, site["id"], comment_id, name, now)
    return _handled(done)


def _deaf(
    db: Database, site: Row, ticket: Ticket, comment: Comment, command: Command | WrongCommand
) -> str:
    """Why a command is not listened to. A stop is, wherever the ticket has gone meanwhile."""
    project = sites.get_project(db, site["id"], ticket.project_key)
    stop = isinstance(command, Command) and command.name == "stop"
    if (project is None or project["mode"] == "off") and not stop:
        return f"project {ticket.project_key} is not connected"
    if ticket.restricted and not stop:
        return f"left alone by default: {ticket.restricted}"
    if comment.editor.id != comment.author.id:
        return "its text was edited by somebody else than its author"
    if comment.author.kind not in ("atlassian", "unknown") or comment.restricted:
        return "commands are taken from people of the project, in comments for all"
    return ""


def _answer(asked: Asked, command: Command | WrongCommand) -> str:
    if isinstance(command, WrongCommand):
        _reply(asked, replies.wrong_reply(command))
        return "answered: no such command"
    if not _may(asked, command):
        _reply(asked, replies.refused_reply(command.name, command.right, _holders(asked, command)))
        return f"refused: {command.name} needs the right {command.right}"
    return _do(asked, command)


def _do(asked: Asked, command: Command) -> str:
    match command.name:
        case "help":
            _reply(asked, replies.help_reply())
        case "status":
            _reply(asked, _status(asked))
        case "score":
            _ask(asked, {"score_asked": True})
        case "approve":
            return _approve(asked)
        case "retry":
            return _retry(asked)
        case "stop":
            return _stop(asked)
    return command.name


def _may(asked: Asked, command: Command) -> bool:
    account, project_key = asked.comment.author.id, asked.ticket.project_key
    grants = sites.grants(asked.db, asked.site["id"], project_key)
    roles = asked.tracker.roles(project_key, account)
    return holds(command.right, grants, account, roles)


def _holders(asked: Asked, command: Command) -> tuple[str, ...]:
    """Jira roles with the right, so that people know whom to ask."""
    grants = sites.grants(asked.db, asked.site["id"], asked.ticket.project_key)
    roles = {str(g["subject"]) for g in grants if g["kind"] == "jira_role"}
    return tuple(
        f"people in the role {role}"
        for role in sorted(roles)
        if holds(command.right, grants, "", frozenset({role}))
    )


def _ask(asked: Asked, values: dict[str, Any]) -> None:
    ident = f"asked:{asked.comment.id}:{asked.comment.updated.isoformat()}"
    site_id, issue_id = asked.site["id"], asked.ticket.id
    tickets.ask(asked.db, site_id, issue_id, values, ident, "asked", asked.now)


def _approve(asked: Asked) -> str:
    """Of the text that stood in our comment when the person wrote, and of no other: not of one
    that was slipped in since."""
    row = tickets.get(asked.db, asked.site["id"], asked.ticket.id)
    shown = row is not None and row["told_hash"] == asked.ticket.spec_hash()
    if row is None or not shown or asked.comment.updated <= row["told_at"]:
        text = "The text has changed since, or was not judged yet. Please look again, then approve."
        _reply(asked, replies.done_reply(text))
        return "approve: not of this text"
    approval = {
        "approved_by": asked.comment.author.id,
        "approved_hash": row["told_hash"],
        "approved_at": asked.now,
    }
    _ask(asked, approval)
    return "approve"


def _retry(asked: Asked) -> str:
    before = runs.of_ticket(asked.db, asked.site["id"], asked.ticket.id)
    if not before:
        _reply(asked, replies.done_reply("There was no run yet, so there is none to retry."))
        return "retry: no run yet"
    if before[-1]["ended_at"] is None:
        number = before[-1]["number"]
        _reply(asked, replies.done_reply(f"Run {number} is still on; stop it first."))
        return "retry: a run is on"
    if asked.site["label"] not in asked.ticket.labels:
        text = f'Set the label "{asked.site["label"]}" again: that starts a new run by itself.'
        _reply(asked, replies.done_reply(text))
        return "retry: no label"
    wish = {
        "retry_id": asked.comment.id,
        "retry_by": asked.comment.author.id,
        "retry_at": asked.comment.created,
    }
    _ask(asked, wish)
    return "retry"


def _stop(asked: Asked) -> str:
    """The wish is written down; the worker that has the agent sees it and ends it."""
    for row in runs.of_ticket(asked.db, asked.site["id"], asked.ticket.id):
        if row["ended_at"] is None and row["triggered_at"] < asked.comment.updated:
            ref = RunRef(asked.site["id"], asked.ticket.id, row["key"], row["number"])
            runs.ask_stop(asked.db, ref, asked.comment.author.id, 'asked by "agent stop"')
            return f"stop: run {row['number']}"
    _reply(asked, replies.done_reply("No run is on, so there was nothing to stop."))
    return "stop: no run is on"


def _status(asked: Asked) -> Sequence[Block]:
    row = tickets.get(asked.db, asked.site["id"], asked.ticket.id)
    before = runs.of_ticket(asked.db, asked.site["id"], asked.ticket.id)
    last = before[-1] if before else None
    told = ""
    if last is not None:
        state = last["ending"] or "is on"
        told = f"Run {last['number']} on {last['repository'].rpartition('/')[2]}: {state}."
    decision = (row["decision"] if row else None) or {}
    view = replies.StatusView(
        verdict=row["verdict"] if row else None,
        score=row["score"] if row else None,
        reasons=tuple(Reason(**reason) for reason in decision.get("reasons", ())),
        run=told,
        cost=spending.ticket_cost(asked.db, asked.site["id"], asked.ticket.id).posted,
        currency=asked.site["currency"],
        simulated=any(run["simulated"] for run in before),
    )
    return replies.status_reply(view)


def _reply(asked: Asked, blocks: Sequence[Block]) -> None:
    """One answer a comment, however often the comment is delivered or edited."""
    asked.tracker.put_comment(asked.ticket.id, f"reply:{asked.comment.id}", blocks)


def _handled(reason: str) -> dict[str, Any]:
    return {"outcome": "handled", "reason": reason}


def _ignored(reason: str) -> dict[str, Any]:
    return {"outcome": "ignored", "reason": reason}
