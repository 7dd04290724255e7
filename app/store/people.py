"""Whose account ids a site's rows hold, and what becomes of them when an account is closed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from app.store.chain import DEFAULT
from app.store.database import Database
from app.store.schema import grant, inbox, run, site, ticket
from app.store.schema_money import alert, balance, bucket, entry, hold, override
from app.store.schema_score import objection, split_up

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
    (objection.c.by, objection.c.made_at),
    (split_up.c.by, split_up.c.made_at),
    (override.c.actor, override.c.made_at),
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
    asked = sa.select(hold.c.person, sa.func.max(hold.c.made_at)).where(
        hold.c.site_id == site_id, hold.c.person.is_not(None)
    )
    limited = sa.select(bucket.c.subject, sa.func.max(bucket.c.changed_at)).where(
        bucket.c.site_id == site_id, bucket.c.kind == "person", bucket.c.subject != DEFAULT
    )
    found: dict[str, datetime] = {}
    with db.read() as c:
        own = c.execute(sa.select(site.c.account_id).where(site.c.id == site_id)).scalar()
        for query in (*queries, granted, asked, limited):
            for who, at in c.execute(query.group_by(query.selected_columns[0])):
                if who not in NOBODY and who != own and at is not None:
                    found[who] = max(at, found.get(who, at))
    return found


def erase(db: Database, site_id: str, account_id: str) -> None:
    """The account is closed: nothing of the site names it any more, and its rights are gone."""
    with db.write() as c:
        own = sa.and_(objection.c.site_id == site_id, objection.c.by == account_id)
        c.execute(objection.update().where(own).values(reason=""))
        for column in (*(who for who, _ in HELD), bucket.c.changed_by):
            same = sa.and_(column.table.c.site_id == site_id, column == account_id)
            c.execute(sa.update(column.table).where(same).values({column: ERASED}))
        _forget_budget(c, site_id, account_id)
        granted = sa.and_(grant.c.site_id == site_id, grant.c.kind == "account")
        c.execute(grant.delete().where(granted, grant.c.subject == account_id))
        named = inbox.c.ident.contains(f":{account_id}:", autoescape=True)  # a storm's notice
        mine = inbox.c.site_id == site_id
        c.execute(inbox.delete().where(mine, named, inbox.c.event.startswith("signalbox:")))
        # Bodies serve to trace a fault, and any of them may name anybody.
        settled = sa.and_(mine, inbox.c.outcome.is_not(None), inbox.c.body.is_not(None))
        c.execute(inbox.update().where(settled).values(body=None))


def _forget_budget(c: Connection, site_id: str, account_id: str) -> None:
    """The person's level of the ledger goes; what was spent still counts in all the others."""
    mine = sa.and_(hold.c.site_id == site_id, hold.c.person == account_id)
    c.execute(hold.update().where(mine).values(person=None))
    for table in (balance, bucket, override, alert):
        of = (table.c.site_id == site_id, table.c.kind == "person", table.c.subject == account_id)
        c.execute(table.delete().where(*of))
    said = sa.and_(entry.c.site_id == site_id, entry.c.kind == "person")
    c.execute(entry.update().where(said, entry.c.subject == account_id).values(subject=ERASED))
