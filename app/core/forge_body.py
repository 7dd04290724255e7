"""What the body of a Forge event means to us: it is put into the shape of a webhook, and then read
like one, so that both have the same keys and the same outcomes.

https://developer.atlassian.com/platform/forge/events-reference/jira/
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from app.core.events import Event, event_in
from app.core.payload import IDENTITY, Malformed, load

LIKE = {
    "avi:jira:created:issue": "jira:issue_created",
    "avi:jira:updated:issue": "jira:issue_updated",
    "avi:jira:assigned:issue": "jira:issue_updated",
    "avi:jira:mentioned:issue": "jira:issue_updated",
    "avi:jira:deleted:issue": "jira:issue_deleted",
    "avi:jira:commented:issue": "comment_created",  # created or edited, it does not say which
    "avi:jira:mentioned:comment": "comment_created",
}


def read_forge_event(body: bytes, own_account: str) -> Event:
    """The event in a verified body; never raises."""
    try:
        payload = load(body)
        name = payload.get("eventType")
        if not isinstance(name, str) or not IDENTITY.fullmatch(name):
            raise Malformed("eventType is missing or is not a name")
        event = event_in(LIKE.get(name, ""), _like_webhook(payload), own_account)
    except Malformed as fault:
        return Event("malformed", "malformed", str(fault))
    if payload.get("selfGenerated") is True and not event.outcome:
        return Event(name, "ignored", "our own change", issue_id=event.issue_id)
    return replace(event, name=name)


def _like_webhook(payload: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "issue": payload.get("issue"),
        "comment": payload.get("comment"),
        "changelog": _changelog(payload.get("changelog")),
        "user": {"accountId": payload.get("atlassianId")},
    }


def _changelog(told: object) -> object:
    """An object with its items, a list of items, or a list of such objects: sources disagree."""
    if not isinstance(told, list):
        return told
    entries = [entry for entry in told if isinstance(entry, dict)]
    items: list[Any] = []
    for entry in entries:
        inner = entry.get("items")
        items.extend(inner if isinstance(inner, list) else [entry])
    whole = entries[0] if len(entries) == 1 and "items" in entries[0] else {}
    return {"id": whole.get("id"), "items": items}
