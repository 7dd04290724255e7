"""What the body of a Jira webhook means to us.

Bodies differ by Jira's age and kind: `user`, `issue`, `changelog` and `issue_event_type_name` may
each be missing, and Server sends comments as `jira:issue_updated`. Nothing here is trusted for a
decision: an event only says that something happened to a ticket, which is then read afresh.
https://developer.atlassian.com/cloud/jira/platform/webhooks/
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

TICKET_EVENTS = frozenset({"jira:issue_created", "jira:issue_updated", "jira:issue_deleted"})
COMMENT_EVENTS = frozenset({"comment_created", "comment_updated"})
READ_FIELDS = frozenset(
    {"labels", "summary", "description", "issuetype", "status", "resolution", "link", "key"}
    | {"project", "security", "security level"}
)
"""Changelog fields that can change an assessment or a decision."""
DEEPEST = 60
IDENTITY = re.compile(r"[0-9A-Za-z:._@+\-]{1,128}")


class Malformed(ValueError):
    """The verified bytes are not an event. The message names what is wrong."""


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
        payload = _load(body)
        name = payload.get("webhookEvent")
        if not isinstance(name, str) or not IDENTITY.fullmatch(name):
            raise Malformed("webhookEvent is missing or is not a name")
        return _event(name, payload, own_account)
    except Malformed as fault:
        return Event("malformed", "malformed", str(fault))


def _event(name: str, payload: Mapping[str, Any], own_account: str) -> Event:
    if name not in TICKET_EVENTS | COMMENT_EVENTS:
        return Event(name, "unsupported", "Signalbox does not use this event")
    comment = _mapping(payload, "comment")
    issue_id = _identity(_mapping(payload, "issue"), "id") or _issue_of(comment)
    if issue_id is None:
        # Server's comment events name no ticket, apart from the address of the comment itself.
        raise Malformed("no issue id, and no comment address that names one")
    if own_account and _actor(payload, comment) == own_account:
        return Event(name, "ignored", "our own change", issue_id=issue_id)
    if name in COMMENT_EVENTS:
        return _comment_event(name, issue_id, comment)
    return _ticket_event(name, issue_id, payload, comment)


def _comment_event(name: str, issue_id: str, comment: Mapping[str, Any]) -> Event:
    comment_id = _identity(comment, "id")
    if comment_id is None:
        raise Malformed("a comment event without a comment id")
    version = _text(comment, "updated") or _text(comment, "created") or "1"
    once = f"comment:{comment_id}:{version}"
    return Event(name, "", "", issue_id, False, comment_id, version, once)


def _ticket_event(
    name: str, issue_id: str, payload: Mapping[str, Any], comment: Mapping[str, Any]
) -> Event:
    fields, changelog_id = _changes(payload)
    if comment and not fields:
        return _comment_event(name, issue_id, comment)
    once = f"issue:{issue_id}:changelog:{changelog_id}" if changelog_id and fields else None
    if name == "jira:issue_updated" and fields and not fields & READ_FIELDS and not comment:
        reason = "changed only " + _shown(", ".join(sorted(fields))[:200])
        return Event(name, "ignored", reason, issue_id=issue_id, once_key=once)
    comment_id = _identity(comment, "id")
    version = _text(comment, "updated") if comment_id else None
    return Event(name, "", "", issue_id, True, comment_id, version, once)


def _changes(payload: Mapping[str, Any]) -> tuple[frozenset[str], str | None]:
    """Names of the changed fields, in lower case, and the changelog entry's id."""
    changelog = _mapping(payload, "changelog")
    items = changelog.get("items") or []
    if not isinstance(items, list):
        raise Malformed("changelog.items is not a list")
    names = {
        str(item.get("field") or item.get("fieldId") or "").lower()
        for item in items
        if isinstance(item, dict)
    }
    return frozenset(names), _identity(changelog, "id")


def _actor(payload: Mapping[str, Any], comment: Mapping[str, Any]) -> str | None:
    """Who did it: `user` is missing on most comment events, where the author tells."""
    writer = _mapping(comment, "updateAuthor") or _mapping(comment, "author")
    for person in (_mapping(payload, "user"), writer):
        for name in ("accountId", "key", "name"):
            if isinstance(person.get(name), str):
                return str(person[name])
    return None


def _issue_of(comment: Mapping[str, Any]) -> str | None:
    found = re.search(r"/issue/([0-9]{1,20})/comment/", str(comment.get("self", "")))
    return found.group(1) if found else None


def _load(body: bytes) -> Mapping[str, Any]:
    try:
        text = body.decode("utf-8")
        if "\x00" in text:
            raise Malformed("the body holds a NUL byte")
        payload = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except UnicodeDecodeError:
        raise Malformed("the body is not UTF-8") from None
    except RecursionError:
        raise Malformed("the body is nested too deeply") from None
    except ValueError as fault:
        raise fault if isinstance(fault, Malformed) else Malformed("the body is not JSON") from None
    if not isinstance(payload, dict):
        raise Malformed("the body is not a JSON object")
    if _depth(payload) > DEEPEST:
        raise Malformed("the body is nested too deeply")
    return payload


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Malformed("a key stands twice in one object")
    return found


def _no_constant(name: str) -> NoReturn:
    raise Malformed(f"{name} is not JSON")


def _depth(payload: object) -> int:
    depth, level = 0, [payload]
    while level:
        depth += 1
        inner: list[object] = []
        for node in level:
            inner.extend(node.values() if isinstance(node, dict) else node)  # type: ignore[arg-type]
        level = [node for node in inner if isinstance(node, dict | list)]
    return depth


def _mapping(parent: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = parent.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Malformed(f"{name} is not an object")
    return value


def _identity(parent: Mapping[str, Any], name: str) -> str | None:
    value = parent.get(name)
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63:
        value = str(value)
    if not isinstance(value, str) or not IDENTITY.fullmatch(value):
        raise Malformed(f"{name} is not an identifier")
    return value


def _shown(text: str) -> str:
    """Of foreign text, what a database takes and a page can show: no NUL, no lone surrogate."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def _text(parent: Mapping[str, Any], name: str) -> str | None:
    value = parent.get(name)
    return value if isinstance(value, str) and IDENTITY.fullmatch(value) else None
