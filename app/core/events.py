"""What the body of a Jira webhook means to us.

Bodies differ by Jira's age and kind: `user`, `issue`, `changelog` and `issue_event_type_name` may
each be missing, and Server sends comments as `jira:issue_updated`. Nothing here is trusted for a
decision: an event only says that something happened to a ticket, which is then read afresh.
https://developer.atlassian.com/cloud/jira/platform/webhooks/
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.core.payload import IDENTITY, Malformed, identity, load, mapping, shown, text

TICKET_EVENTS = frozenset({"jira:issue_created", "jira:issue_updated", "jira:issue_deleted"})
COMMENT_EVENTS = frozenset({"comment_created", "comment_updated"})
READ_FIELDS = frozenset(
    {"labels", "summary", "description", "issuetype", "status", "resolution", "link", "key"}
    | {"project", "security", "security level"}
)
"""Changelog fields that can change an assessment or a decision."""


@dataclass(frozen=True, slots=True)
class Event:
    """One delivery's meaning. `outcome` is empty while there is work to do.

    once_key: the same for every delivery of one change, whichever way it comes.
    """

    name: str
    outcome: str = ""  # "" | ignored | unsupported | malformed
    reason: str = ""
    issue_id: str | None = None
    touches_ticket: bool = False
    comment_id: str | None = None
    comment_version: str | None = None
    once_key: str | None = None
    issue_key: str | None = None  # where no id is told: it has to be looked up

    @property
    def kind(self) -> str:
        match (self.touches_ticket, self.comment_id):
            case (True, None):
                return "ticket"
            case (True, _):
                return "both"
            case (False, None):
                return "none"
        return "comment"


def read_event(body: bytes, own_account: str) -> Event:
    """The event in a verified body; never raises: what cannot be read is an outcome too."""
    try:
        payload = load(body)
        name = payload.get("webhookEvent")
        if not isinstance(name, str) or not IDENTITY.fullmatch(name):
            raise Malformed("webhookEvent is missing or is not a name")
        return event_in(name, payload, own_account)
    except Malformed as fault:
        return Event("malformed", "malformed", str(fault))


def event_in(name: str, payload: Mapping[str, Any], own_account: str) -> Event:
    """The event `name` with a payload of the webhooks' shape. Raises Malformed."""
    if name not in TICKET_EVENTS | COMMENT_EVENTS:
        return Event(name, "unsupported", "Signalbox does not use this event")
    comment = mapping(payload, "comment")
    issue_id = identity(mapping(payload, "issue"), "id") or _issue_of(comment)
    if issue_id is None:
        # Server's comment events name no ticket, apart from the address of the comment itself.
        raise Malformed("no issue id, and no comment address that names one")
    if own_account and _actor(payload, comment) == own_account:
        return Event(name, "ignored", "our own change", issue_id=issue_id)
    if name in COMMENT_EVENTS:
        return _comment_event(name, issue_id, comment)
    return _ticket_event(name, issue_id, payload, comment, own_account)


def _comment_event(name: str, issue_id: str, comment: Mapping[str, Any]) -> Event:
    comment_id = identity(comment, "id")
    if comment_id is None:
        raise Malformed("a comment event without a comment id")
    version = text(comment, "updated") or text(comment, "created")
    once = f"comment:{comment_id}:{version}" if version else None
    return Event(name, "", "", issue_id, False, comment_id, version, once)


def _ticket_event(
    name: str,
    issue_id: str,
    payload: Mapping[str, Any],
    comment: Mapping[str, Any],
    own_account: str,
) -> Event:
    changelog = mapping(payload, "changelog")
    items = _items(changelog)
    fields = frozenset(map(_field, items))
    changelog_id = identity(changelog, "id")
    if comment and not fields:
        return _comment_event(name, issue_id, comment)
    once = f"issue:{issue_id}:changelog:{changelog_id}" if changelog_id and fields else None
    matters = fields & READ_FIELDS or any(_assigns_us(item, own_account) for item in items)
    if name == "jira:issue_updated" and fields and not matters and not comment:
        reason = "changed only " + shown(", ".join(sorted(fields))[:200])
        return Event(name, "ignored", reason, issue_id=issue_id, once_key=once)
    comment_id = identity(comment, "id")
    version = text(comment, "updated") if comment_id else None
    return Event(name, "", "", issue_id, True, comment_id, version, once)


def _items(changelog: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    items = changelog.get("items") or []
    if not isinstance(items, list):
        raise Malformed("changelog.items is not a list")
    return [item for item in items if isinstance(item, dict)]


def _field(item: Mapping[str, Any]) -> str:
    return str(item.get("field") or item.get("fieldId") or "").lower()


def _assigns_us(item: Mapping[str, Any], own_account: str) -> bool:
    """The ticket was given to us, or taken away. While we do not know ourselves it may be us."""
    given = _field(item) == "assignee"
    return given and (not own_account or own_account in (item.get("from"), item.get("to")))


def _actor(payload: Mapping[str, Any], comment: Mapping[str, Any]) -> str | None:
    """Who did it: `user` is missing on most comment events, where the author tells."""
    writer = mapping(comment, "updateAuthor") or mapping(comment, "author")
    for person in (mapping(payload, "user"), writer):
        for name in ("accountId", "key", "name"):
            if isinstance(person.get(name), str):
                return str(person[name])
    return None


def _issue_of(comment: Mapping[str, Any]) -> str | None:
    found = re.search(r"/issue/([0-9]{1,20})/comment/", str(comment.get("self", "")))
    return found.group(1) if found else None
