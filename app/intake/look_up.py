"""A delivery that names its ticket by key alone gets the ticket's id: keys change, and what we keep
of a ticket hangs on its id. Jira is asked, so this is a step of its own and not a part of the
answer at the door."""

from __future__ import annotations

from app.ports import NotFound, Tracker
from app.store import inbox
from app.store.database import Database


def look_up(db: Database, tracker: Tracker, key: str, delivery: int) -> dict[str, str]:
    """{"outcome": found | ignored, "reason"}. Found = it is with the relay again, with an id."""
    try:
        ticket = tracker.ticket(key)
    except NotFound:
        return {"outcome": "ignored", "reason": "the ticket is gone, or hidden from Signalbox"}
    inbox.found(db, delivery, ticket.id)
    return {"outcome": "found", "reason": ""}
