"""Whose account ids a site's rows hold, and what becomes of them when an account is closed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from app.store.database import Database
from app.store.schema import bucket, entry, grant, inbox, run, site, ticket

ERASED = "erased"
NOBODY = frozenset({"", "admin", "signalbox", ERASED})
"""Who is named there without being a person of Jira."""
HELD: tuple[tuple[sa.Column[Any], sa.Column[Any]], ...] = (
    (ticket.c.approved_by, ticket.c.approved_at),
    (ticket.c.wish_by, ticket.c.wish_at),
    (ticket.c.labelled_by, ticket.c.labelled_at),
    (run.c.actor, run.c.triggered_at),
    (run.c.approved_by, run.c.approved_at),
    (run.c.stop_by, run.c.created_at),
    (inbox.c.actor, inbox.c.received_at),
    (entry.c.actor, entry.c.at),
)
"""Columns with account ids, each with the time at which one came there."""


def accounts(db: Database, site_id: str) -> dict[str, datetime]:
    """All people whose account ids are kept for the site, with when that was written last."""
    queries = [
        sa.select(who, sa.func.max(at)).where(who.table.c.site_id == site_id, who.is_not(None))
        for who, at in HELD
    ]
    people = sa.and_(grant.c.site_id == site_id, grant.c.kind == "account")
    granted = sa.select(grant.c.subject, sa.func.max(grant.c.granted_at)).where(people)
    found: dict[str, datetime] = {}
    with db.read() as c:
        own = c.execute(sa.select(site.c.account_id).where(site.c.id == site_id)).scalar()
        for query in (*queries, granted):
            for who, at in c.execute(query.group_by(query.selected_columns[0])):
                if who not in NOBODY and who != own and at is not None:
                    found[who] = max(at, found.get(who, at))
    return found


def erase(db: Database, site_id: str, account_id: str) -> None:
    """The account is closed: nothing of the site names it any more, and its rights are gone."""
    with db.write() as c:
        for column in (*(who for who, _ in HELD), bucket.c.changed_by):
            same = sa.and_(column.table.c.site_id == site_id, column == account_id)
            c.execute(sa.update(column.table).where(same).values({column: ERASED}))
        granted = sa.and_(grant.c.site_id == site_id, grant.c.kind == "account")
        c.execute(grant.delete().where(granted, grant.c.subject == account_id))
        named = inbox.c.ident.contains(f":{account_id}:", autoescape=True)  # a storm's notice
        mine = inbox.c.site_id == site_id
        c.execute(inbox.delete().where(mine, named, inbox.c.event.startswith("signalbox:")))
        # Bodies serve to trace a fault, and any of them may name anybody.
        settled = sa.and_(mine, inbox.c.outcome.is_not(None), inbox.c.body.is_not(None))
        c.execute(inbox.update().where(settled).values(body=None))
