"""Deliveries that we fetch ourselves: all that a site has where no webhook reaches us, and beside
every other door what was lost on the way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from app.core.polling import OVERLAP, query
from app.ports import Found, NotFound, Tracker
from app.store import polls, sites
from app.store.database import Database
from app.store.polls import News

MOST_FOUND = 10_000
MOST_READ = 100
"""Tickets of one poll: so many are looked through, so many of the new ones are read. What is left
over comes with the next poll."""


def poll(db: Database, tracker: Tracker, site: sites.Row, now: datetime) -> int:
    """Make deliveries of what changed since the last poll. How many are new.

    A repeat finds the same and makes nothing: each is kept under the time that Jira gives it. What
    was last changed before the connection is never touched.
    """
    projects = [row for row in sites.list_projects(db, site["id"]) if row["mode"] != "off"]
    if not projects:
        return 0
    since = site["polled_at"] or site["connected_at"]
    found = tracker.search(query([row["key"] for row in projects], since, now), MOST_FOUND)
    fresh = _fresh(db, site, found)
    pieces = [piece for ticket in fresh[:MOST_READ] for piece in _pieces(tracker, site, ticket)]
    until = now
    if len(fresh) > MOST_READ:
        until = fresh[MOST_READ - 1][1].version
    elif len(found) == MOST_FOUND:
        until = found[-1].updated
    return polls.record(db, site["id"], pieces, max(until, since), now)


def _fresh(db: Database, site: sites.Row, found: Sequence[Found]) -> list[tuple[Found, News]]:
    """Those that no earlier poll has seen as they are now."""
    present = [ticket for ticket in found if ticket.updated > site["connected_at"]]
    known = polls.known(db, site["id"], [ticket.id for ticket in present])
    fresh = [(t, News(t.id, t.updated, idle=_idle(site, t, known))) for t in present]
    kept = polls.kept(db, site["id"], [piece for _, piece in fresh])
    return [(ticket, piece) for ticket, piece in fresh if piece.ident not in kept]


def _idle(site: sites.Row, ticket: Found, known: Mapping[str, datetime | None]) -> str:
    """Why the ticket itself needs no look; comments in it may have been lost all the same."""
    assessed = known.get(ticket.id)
    if assessed is not None and ticket.updated <= assessed:
        return "assessed already"
    asks = site["label"] in ticket.labels or ticket.assignee == site["account_id"]
    return "" if asks or ticket.id in known else "the ticket does not ask for an agent"


def _pieces(tracker: Tracker, site: sites.Row, fresh: tuple[Found, News]) -> Iterator[News]:
    """The ticket, and what people wrote in it lately."""
    ticket, piece = fresh
    since = max(site["connected_at"], (site["polled_at"] or site["connected_at"]) - OVERLAP)
    try:
        comments = tracker.comments_since(ticket.id, since)
    except NotFound:  # deleted since the search
        return
    yield piece
    for comment in comments:
        if comment.key is None and comment.author.id != site["account_id"]:
            yield News(ticket.id, comment.updated, comment.id)
