"""What the body of an Automation rule's web request means to us.

Whoever wrote the rule typed it: it is asked for one thing, which ticket it is about, under any of
the names that people and Jira itself give it. A smart value that holds nothing comes as "".
https://support.atlassian.com/cloud-automation/docs/jira-automation-actions/#Send-web-request
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from app.core.events import Event
from app.core.payload import Malformed, load, mapping, text

ID = re.compile(r"[1-9][0-9]{0,18}")
KEY = re.compile(r"[A-Z][A-Z0-9_]{1,254}-[1-9][0-9]{0,18}")
NAMES = ("issueId", "issue_id", "issueKey", "issue_key", "issue", "id", "key")
COMMENT_NAMES = ("commentId", "comment_id")


def read_rule(body: bytes) -> Event:
    """The event in a verified body; never raises."""
    try:
        payload = load(body)
        name = text(payload, "webhookEvent") or "automation"
        comment_id = _comment(payload)
        told = list(_told(payload))
        number = next((value for value in told if ID.fullmatch(value)), None)
        key = next((value for value in told if KEY.fullmatch(value)), None)
        if number is None and key is None:
            raise Malformed('the body names no issue: "issue": {"id": "{{issue.id}}"}')
    except Malformed as fault:
        return Event("malformed", "malformed", str(fault))
    known_by = None if number else key
    return Event(name, "", "", number, comment_id is None, comment_id, issue_key=known_by)


def _told(payload: Mapping[str, Any]) -> Iterator[str]:
    """All that may name the issue, the most exact place first."""
    nested = payload.get("issue")
    if isinstance(nested, dict):
        yield from (_plain(nested.get(name)) for name in ("id", "key"))
    yield from (_plain(payload.get(name)) for name in NAMES)


def _comment(payload: Mapping[str, Any]) -> str | None:
    told = [_plain(mapping(payload, "comment").get("id"))]
    told += [_plain(payload.get(name)) for name in COMMENT_NAMES]
    return next((value for value in told if ID.fullmatch(value)), None)


def _plain(value: object) -> str:
    """Of a text or a whole number; everything else names nothing."""
    whole = isinstance(value, int) and not isinstance(value, bool)
    return str(value).strip() if whole or isinstance(value, str) else ""
