"""A mention that came without the id of its comment gets the comment: the newest one of that person
that is addressed to us. Jira is asked, so this is a step of its own."""

from __future__ import annotations

from datetime import timedelta

from app.core.commands import parse
from app.ports import NotFound, Tracker
from app.store import tasks
from app.store.database import Database
from app.store.sites import Row

RECENT = timedelta(minutes=10)
"""How long before the mention came in its comment may have been written; clocks differ."""


NOBODY = "no recent comment of that person is addressed to Signalbox"


def hear(db: Database, tracker: Tracker, site: Row, issue_id: str, delivery: int) -> dict[str, str]:
    """{"outcome": found | ignored, "reason"}. Found = it is with the relay again, as a comment."""
    row = tasks.delivery(db, delivery)
    try:
        recent = tracker.comments_since(issue_id, row["received_at"] - RECENT)
    except NotFound:
        return {"outcome": "ignored", "reason": NOBODY}
    addressed = [
        comment
        for comment in recent
        if comment.author.id == row["actor"]
        and comment.key is None
        and parse(comment.text, site["account_id"]) is not None
    ]
    if not addressed:
        return {"outcome": "ignored", "reason": NOBODY}
    tasks.heard(db, delivery, max(addressed, key=lambda comment: comment.updated).id)
    return {"outcome": "found", "reason": ""}
