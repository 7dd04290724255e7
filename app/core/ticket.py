"""The normalised work item and what happened to its labels."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from app.core.text import Document


@dataclass(frozen=True, slots=True)
class Ticket:
    """One ticket as it is in Jira now. `blockers` are keys of open tickets that block it.

    `restricted` says why it is left alone by default ("security level, service desk", or one of
    them), or is empty.
    """

    site_id: str
    id: str
    key: str
    project_key: str
    issue_type: str
    summary: str
    description: Document
    labels: frozenset[str]
    status: str
    done: bool
    reporter: str
    updated: datetime
    blockers: tuple[str, ...] = ()
    restricted: str = ""
    assignee: str = ""

    def shows(self, label: str, account: str) -> frozenset[str]:
        """Which signals it carries that ask for an agent: "label", and "assign" where it is
        assigned to our own account."""
        assigned = bool(account) and self.assignee == account
        found = {"label": label in self.labels, "assign": assigned}
        return frozenset(name for name, there in found.items() if there)

    def spec_hash(self) -> str:
        """Names the text that was judged, approved and handed to the agent."""
        parts = [self.issue_type, self.summary, self.description.plain()]
        return hashlib.sha256(json.dumps(parts, ensure_ascii=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class LabelChange:
    """One changelog entry that set or removed labels, read from Jira by ourselves."""

    id: str
    at: datetime
    actor: str
    added: frozenset[str]
    removed: frozenset[str]


@dataclass(frozen=True, slots=True)
class Assignment:
    """One changelog entry that gave the ticket to an account ("" = to nobody)."""

    id: str
    at: datetime
    actor: str
    to: str


def label_tokens(text: str | None) -> frozenset[str]:
    """Jira writes labels space-joined; a label itself never holds a blank."""
    return frozenset((text or "").split())


def label_change(before: str | None, after: str | None) -> tuple[frozenset[str], frozenset[str]]:
    """Labels added and removed between the two space-joined strings of a changelog item."""
    old, new = label_tokens(before), label_tokens(after)
    return new - old, old - new


def label_set_by(history: Iterable[LabelChange], label: str) -> LabelChange | None:
    """The entry that set the label as it stands: the last addition without a later removal."""
    current: LabelChange | None = None
    for change in sorted(history, key=lambda c: (c.at, int(c.id) if c.id.isdigit() else 0)):
        if label in change.added:
            current = change
        elif label in change.removed:
            current = None
    return current
