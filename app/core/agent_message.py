"""What a message of Jira's agent connector asks of us, from its data parts.

Nothing in it is trusted but which ticket and comment it is about: both are read afresh.
https://developer.atlassian.com/platform/forge/remote-agents-in-jira/
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from app.core.payload import Malformed

ID = re.compile(r"[1-9][0-9]{0,18}")
KEY = re.compile(r"[A-Z][A-Z0-9_]{1,254}-[1-9][0-9]{0,18}")
ASSIGNED, MENTIONED = "ISSUE_ASSIGNMENT", "ISSUE_COMMENT_MENTION"
EXACT = 2**53
"""Numbers come as floats: above this they are not exact."""


@dataclass(frozen=True, slots=True)
class Wish:
    """kind: "ticket" was assigned, "comment" or "mention" (without the comment's id) addresses us,
    "chat" is about no ticket and has no effect."""

    kind: Literal["ticket", "comment", "mention", "chat"]
    name: str = ""
    issue_id: str | None = None
    issue_key: str | None = None
    comment_id: str | None = None


def read_message(parts: Sequence[Mapping[str, Any]]) -> Wish:
    """Raises Malformed where a message is about a ticket and does not say which."""
    told = next((part for part in parts if part.get("invocationType")), {})
    name = told.get("invocationType")
    if name not in (ASSIGNED, MENTIONED):
        return Wish("chat")
    named = list(_named(told, "issue"))
    number = next((text for text in named if ID.fullmatch(text)), None)
    key = next((text for text in named if KEY.fullmatch(text)), None)
    if number is None and key is None:
        raise Malformed(f"{name} names no issue")
    known_by = None if number else key
    if name == ASSIGNED:
        return Wish("ticket", name, number, known_by)
    comment = next((text for text in _named(told, "comment") if ID.fullmatch(text)), None)
    return Wish("comment" if comment else "mention", name, number, known_by, comment)


def _named(told: Mapping[str, Any], what: str) -> Iterator[str]:
    """All that may name the issue or the comment, the most exact place first."""
    nested = told.get(what)
    if isinstance(nested, dict):
        yield from (_plain(nested.get(name)) for name in ("id", "key"))
    yield from (_plain(told.get(name)) for name in (f"{what}Id", f"{what}Key", what, "key"))


def _plain(value: object) -> str:
    if isinstance(value, float) and value.is_integer() and abs(value) < EXACT:
        return str(int(value))
    whole = isinstance(value, int) and not isinstance(value, bool)
    return str(value).strip() if whole or isinstance(value, str) else ""
