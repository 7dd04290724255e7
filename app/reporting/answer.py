"""A command, in a comment or by a button: rights are read live, it is obeyed once, and a comment is
answered once."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from app.core.commands import Command, WrongCommand, parse, pressed
from app.core.comments import replies
from app.core.eligibility import PEOPLE
from app.core.rights import holds, left_alone, roles_with
from app.core.ticket import Ticket
from app.ports import Account, Comment, NotFound
from app.reporting.asked import Asked, Desk, Done
from app.reporting.carry_out import carry_out, set_paused
from app.store import sites, tickets
from app.store.inbox import Press
from app.store.sites import Row

OF_PROJECT = "project:"
"""How a press on a project's page calls what it is about."""


def obey(desk: Desk, issue_id: str, comment_id: str, now: datetime) -> dict[str, Any]:
    """{"outcome": handled | ignored, "reason"}. The comment is read afresh: the payload's author
    and text play no part."""
    site = desk.site
    try:
        comment = desk.tracker.comment(issue_id, comment_id)
        ticket = desk.tracker.ticket(issue_id)
    except NotFound:
        return _ignored("the comment or its ticket is gone, or hidden from Signalbox")
    if comment.author.id == site["account_id"] or comment.key is not None:
        return _ignored("our own comment")
    command = parse(comment.text, site["account_id"])
    if command is None:
        return _ignored("not a command")
    project = sites.get_project(desk.db, site["id"], ticket.project_key)
    if why := _deaf(ticket, project, command) or _no_voice(comment):
        return _ignored(why)
    once = command.once if isinstance(command, Command) else "?"
    if tickets.was_obeyed(desk.db, site["id"], comment_id, once):
        return _ignored("obeyed before")
    by, written, last = comment.author.id, comment.created, comment.updated
    asked = Asked(desk, ticket, project, comment_id, by, written, last, now)
    done = _answer(asked, command)
    if done.reply:  # one a comment, however often the comment is delivered or edited
        desk.tracker.put_comment(ticket.id, f"reply:{comment_id}", done.reply)
    tickets.mark_obeyed(desk.db, site["id"], comment_id, once, now)
    return {"outcome": "handled", "reason": done.reason}


def obey_press(desk: Desk, subject: str, press: Press, now: datetime) -> dict[str, Any]:
    """The same for a button. Its answer is what the page shows, and the reason of its delivery."""
    command = pressed(press.command, press.argument)
    if isinstance(command, WrongCommand):
        return _ignored(f'"{command.read}" {command.hint}')
    try:
        person = desk.tracker.account(press.account_id)
        if subject.startswith(OF_PROJECT):
            return _obey_project(desk, subject.removeprefix(OF_PROJECT), person, command, now)
        ticket = desk.tracker.ticket(subject)
    except NotFound:
        return _ignored("the ticket or the person is gone, or hidden from Signalbox")
    project = sites.get_project(desk.db, desk.site["id"], ticket.project_key)
    if why := _deaf(ticket, project, command) or _no_person(person):
        return _ignored(why)
    ident = f"press:{press.id}"
    if tickets.was_obeyed(desk.db, desk.site["id"], ident, command.once):
        return _ignored("obeyed before")
    at = press.at
    done = _answer(Asked(desk, ticket, project, ident, press.account_id, at, at, now), command)
    tickets.mark_obeyed(desk.db, desk.site["id"], ident, command.once, now)
    return {"outcome": "ignored" if done.refused else "handled", "reason": done.reason}


def _obey_project(
    desk: Desk, key: str, person: Account, command: Command, now: datetime
) -> dict[str, Any]:
    """A button of a project's page: there is no ticket. Twice does no harm."""
    if sites.get_project(desk.db, desk.site["id"], key) is None:
        return _ignored(f"project {key} is not connected")
    if why := _no_person(person):
        return _ignored(why)
    if command.name not in ("pause", "resume"):
        return _ignored(f"{command.name} is about a ticket, not about a project")
    if not _may(desk, key, person.id, command):
        return _ignored(_refusal(command))
    set_paused(desk, key, paused=command.name == "pause", now=now)
    return {"outcome": "handled", "reason": command.name}


def _deaf(ticket: Ticket, project: Row | None, command: Command | WrongCommand) -> str:
    """Why a command is not listened to. A stop is, wherever the ticket has gone meanwhile."""
    if isinstance(command, Command) and command.name == "stop":
        return ""
    if project is None or project["mode"] == "off":
        return f"project {ticket.project_key} is not connected"
    apart = left_alone(ticket, project)
    return f"left alone by default: {apart}" if apart else ""


def _no_voice(comment: Comment) -> str:
    if comment.editor.id != comment.author.id:
        return "its text was edited by somebody else than its author"
    if comment.restricted:
        return "commands are taken from comments for all"
    return _no_person(comment.author)


def _no_person(account: Account) -> str:
    if account.kind in PEOPLE and account.active:
        return ""
    return "commands are taken from people of the project"


def _answer(asked: Asked, command: Command | WrongCommand) -> Done:
    if isinstance(command, WrongCommand):
        return Done("answered: no such command", replies.wrong_reply(command))
    if not _may_here(asked, command):
        holders = _holders(asked, command)
        reply = replies.refused_reply(command.name, command.right, holders)
        return Done(_refusal(command), reply, refused=True)
    return carry_out(asked, command)


def _refusal(command: Command) -> str:
    return f"refused: {command.name} needs the right {command.right}"


def _may_here(asked: Asked, command: Command) -> bool:
    if command.right == "edit":
        return asked.desk.tracker.may_edit(asked.ticket.id, asked.by)
    return _may(asked.desk, asked.ticket.project_key, asked.by, command)


def _may(desk: Desk, project_key: str, account_id: str, command: Command) -> bool:
    grants = sites.grants(desk.db, desk.site["id"], project_key)
    roles = desk.tracker.roles(project_key, account_id)
    return holds(command.right, grants, account_id, roles)


def _holders(asked: Asked, command: Command) -> tuple[str, ...]:
    """Jira roles with the right, so that people know whom to ask."""
    if command.right == "edit":
        return ("people whom Jira lets edit it",)
    grants = sites.grants(asked.desk.db, asked.desk.site["id"], asked.ticket.project_key)
    return tuple(f"people in the role {role}" for role in roles_with(command.right, grants))


def _ignored(reason: str) -> dict[str, Any]:
    return {"outcome": "ignored", "reason": reason}
