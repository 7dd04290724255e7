"""What polling has seen of a site, and the deliveries that it makes of what it finds."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from app.store.database import Database
from app.store.schema import inbox, site, ticket

PORTION = 500
"""Names in one question to the database."""


@dataclass(frozen=True, slots=True)
class News:
    """A ticket that changed, or a comment in it. version: Jira's time of the change. idle: why
    there is nothing to do about it; it is kept so that it is not looked at again."""

    issue_id: str
    version: datetime
    comment_id: str | None = None
    idle: str = ""

    @property
    def ident(self) -> str:
        """The same whenever it is found again."""
        return f"poll:{self.issue_id}:{self.comment_id or ''}:{self.version.isoformat()}"


def known(db: Database, site_id: str, issue_ids: Sequence[str]) -> dict[str, datetime | None]:
    """Of tickets that we know: Jira's time of the state that was last assessed."""
    found: dict[str, datetime | None] = {}
    with db.read() as c:
        for start in range(0, len(issue_ids), PORTION):
            portion = issue_ids[start : start + PORTION]
            mine = sa.and_(ticket.c.site_id == site_id, ticket.c.issue_id.in_(portion))
            query = sa.select(ticket.c.issue_id, ticket.c.seen_updated).where(mine)
            found.update((row.issue_id, row.seen_updated) for row in c.execute(query))
    return found


def kept(db: Database, site_id: str, news: Sequence[News]) -> set[str]:
    """The idents of those that an earlier poll has kept already."""
    found: set[str] = set()
    with db.read() as c:
        for start in range(0, len(news), PORTION):
            portion = [piece.ident for piece in news[start : start + PORTION]]
            mine = sa.and_(inbox.c.site_id == site_id, inbox.c.ident.in_(portion))
            found.update(c.execute(sa.select(inbox.c.ident).where(mine)).scalars())
    return found


def record(
    db: Database, site_id: str, news: Sequence[News], polled_at: datetime, now: datetime
) -> int:
    """Deliveries for what is new, and the mark up to where was looked, together. How many."""
    made = 0
    with db.write() as c:
        for piece in news:
            insert = db.insert(inbox).values(**_row(site_id, piece, now))
            made += c.execute(insert.on_conflict_do_nothing()).rowcount
        c.execute(site.update().where(site.c.id == site_id).values(polled_at=polled_at))
    return made


def _row(site_id: str, piece: News, now: datetime) -> dict[str, object]:
    return {
        "id": hashlib.blake2b(f"{site_id}\n{piece.ident}".encode(), digest_size=12).hexdigest(),
        "site_id": site_id,
        "ident": piece.ident,
        "event": "poll:comment" if piece.comment_id else "poll:ticket",
        "kind": "comment" if piece.comment_id else "ticket",
        "issue_id": piece.issue_id,
        "comment_id": piece.comment_id,
        "comment_version": piece.version.isoformat() if piece.comment_id else None,
        "outcome": "ignored" if piece.idle else None,
        "reason": piece.idle,
        "received_at": now,
    }
