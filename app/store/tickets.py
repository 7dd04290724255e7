"""What we decided about each ticket, and why. No copy of its text."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from app.store.database import Database
from app.store.inbox import put_own
from app.store.schema import obeyed, ticket
from app.store.sites import LEFT

Row = sa.RowMapping


def _key(site_id: str, issue_id: str) -> sa.ColumnElement[bool]:
    return sa.and_(ticket.c.site_id == site_id, ticket.c.issue_id == issue_id)


def get(db: Database, site_id: str, issue_id: str) -> Row | None:
    with db.read() as c:
        return c.execute(sa.select(ticket).where(_key(site_id, issue_id))).mappings().first()


def by_key(db: Database, site_id: str, key: str) -> Row | None:
    query = sa.select(ticket).where(ticket.c.site_id == site_id, ticket.c.key == key)
    with db.read() as c:
        return c.execute(query.order_by(ticket.c.assessed_at.desc())).mappings().first()


def begin(db: Database, site_id: str, issue_id: str, gen: int) -> None:
    """The assessment `gen` reads Jira from here on: an event from now needs another one."""
    with db.write() as c:
        later = sa.and_(_key(site_id, issue_id), ticket.c.taken < gen)
        c.execute(ticket.update().where(later).values(taken=gen))


def record(db: Database, site_id: str, issue_id: str, values: Mapping[str, Any]) -> None:
    """Write what an assessment found, or a decision."""
    with db.write() as c:
        c.execute(ticket.update().where(_key(site_id, issue_id)).values(**values))


def undecide(db: Database, site_id: str, issue_id: str, gen: int) -> None:
    """The assessment `gen` did not come through, and has to be made up for; not where a later one
    has begun, whose decision a repeat of this would wipe out."""
    with db.write() as c:
        newest = sa.and_(_key(site_id, issue_id), ticket.c.taken <= gen)
        c.execute(ticket.update().where(newest).values(look_again=True, decision=None))


def again(db: Database, site_id: str, issue_id: str, ident: str, why: str, now: datetime) -> None:
    """Have the ticket assessed once more; `ident` makes a repeat of the same wish harmless."""
    with db.write() as c:
        put_own(c, db, site_id, issue_id, ident, why, now)


def ask(  # noqa: PLR0913 - the wish and its wake are one
    db: Database,
    site_id: str,
    issue_id: str,
    values: Mapping[str, Any],
    ident: str,
    why: str,
    now: datetime,
) -> None:
    """Record what a person asked for (approval, a run) and have the ticket looked at, together."""
    with db.write() as c:
        first = {"site_id": site_id, "issue_id": issue_id, "gen": 0, "taken": 0}
        c.execute(db.insert(ticket).values(**first).on_conflict_do_nothing())
        c.execute(ticket.update().where(_key(site_id, issue_id)).values(**values))
        put_own(c, db, site_id, issue_id, ident, why, now)


def was_obeyed(db: Database, site_id: str, comment_id: str, command: str) -> bool:
    key = (site_id, comment_id, command)
    columns = (obeyed.c.site_id, obeyed.c.comment_id, obeyed.c.command)
    same = [column == value for column, value in zip(columns, key, strict=True)]
    with db.read() as c:
        return c.execute(sa.select(obeyed.c.at).where(*same)).first() is not None


def mark_obeyed(db: Database, site_id: str, comment_id: str, command: str, now: datetime) -> None:
    values = {"site_id": site_id, "comment_id": comment_id, "command": command, "at": now}
    with db.write() as c:
        c.execute(db.insert(obeyed).values(**values).on_conflict_do_nothing())


def wake_waiting(db: Database, codes: frozenset[str], now: datetime) -> int:
    """Wake the deferred tickets that have one of these reasons, or none. How many there are."""
    with db.write() as c:
        waits = sa.and_(ticket.c.look_again.is_(True), ticket.c.site_id.not_in(LEFT))
        rows = c.execute(sa.select(ticket).where(waits)).mappings().all()
        woken = 0
        for row in rows:
            # After a fault there is no decision, and so no reason to wait for anything.
            decision = row["decision"]
            reasons = {reason["code"] for reason in (decision or {}).get("reasons", ())}
            if decision is None or reasons & codes:
                ident = f"wake:{row['issue_id']}:{row['gen']}"
                put_own(c, db, row["site_id"], row["issue_id"], ident, "sweep", now)
                woken += 1
    return woken
