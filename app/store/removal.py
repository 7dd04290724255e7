"""What is kept of a site, looked through and taken away: the one place that knows all of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from app.core.run import RunRef
from app.store.database import Database
from app.store.schema import inbox, metadata, project, run, site, ticket
from app.store.schema_money import balance
from app.store.sites import Row

REMOVED = "Signalbox is being removed from this Jira"
COMMANDS = ("comment", "both", "mention")
"""Kinds of deliveries that may have been answered in their ticket."""


class StillRunning(Exception):
    """Runs of the site have not ended: nothing was taken away."""


@dataclass(frozen=True, slots=True)
class Remains:
    """active: runs that have not ended. held, posted: money of all time, in micro-units.
    branches: (repository, branch) that agents were given. rows: how many a table."""

    active: tuple[Row, ...]
    held: int
    posted: int
    branches: tuple[tuple[str, str], ...]
    rows: Mapping[str, int]


def remains(db: Database, site_id: str) -> Remains:
    """All that is kept of the site, read in one go."""
    lifelong = sa.and_(
        balance.c.site_id == site_id, balance.c.kind == "site", balance.c.period == "once"
    )
    of_site = sa.select(run).where(run.c.site_id == site_id)
    with db.read() as c:
        runs = c.execute(of_site.order_by(run.c.created_at, run.c.number)).mappings().all()
        money = c.execute(sa.select(balance.c.held, balance.c.posted).where(lifelong)).first()
        rows = {
            table.name: c.execute(
                sa.select(sa.func.count()).select_from(table).where(table.c.site_id == site_id)
            ).scalar_one()
            for table in metadata.sorted_tables
            if "site_id" in table.c
        }
        pushed = {(row["repository"], _branch(row)) for row in runs if row["commit"]}
        return Remains(
            active=tuple(row for row in runs if row["ended_at"] is None),
            held=money.held if money else 0,
            posted=money.posted if money else 0,
            branches=tuple(sorted(pushed)),
            rows=rows,
        )


def _branch(row: Row) -> str:
    return RunRef(row["site_id"], row["issue_id"], row["key"], row["number"]).branch


def shut(db: Database, site_id: str, now: datetime) -> int:
    """Let nothing begin or be told there any more, and ask what runs to stop. How many do run."""
    mine = run.c.site_id == site_id
    active = sa.and_(mine, run.c.ended_at.is_(None))
    wish = {"stop_by": "", "stop_why": REMOVED}
    with db.write() as c:
        here = site.update().where(site.c.id == site_id, site.c.paused_at.is_(None))
        c.execute(here.values(paused_at=now))
        c.execute(project.update().where(project.c.site_id == site_id).values(mode="off"))
        c.execute(ticket.update().where(ticket.c.site_id == site_id).values(look_again=False))
        c.execute(run.update().where(active, run.c.stop_why.is_(None)).values(**wish))
        over = sa.and_(mine, run.c.ended_at.is_not(None), run.c.told_at.is_(None))
        c.execute(run.update().where(over).values(told_at=now))
        count = sa.select(sa.func.count()).select_from(run).where(active)
        return int(c.execute(count).scalar_one())


def places(db: Database, site_id: str) -> list[str]:
    """Tickets in which we may have left something, by id; those that admins get notices in, by
    key. What was tidied is not among them any more."""
    seen = sa.or_(ticket.c.assessed_at.is_not(None), ticket.c.comment_id.is_not(None))
    answered = sa.and_(inbox.c.kind.in_(COMMANDS), inbox.c.outcome == "handled")
    wanted = (
        sa.select(ticket.c.issue_id).where(ticket.c.site_id == site_id, seen),
        sa.select(inbox.c.issue_id).where(inbox.c.site_id == site_id, answered),
        sa.select(project.c.operations_ticket).where(project.c.site_id == site_id),
    )
    with db.read() as c:
        found = {name for query in wanted for name in c.execute(query).scalars()}
    return sorted(found - {None})


def tidied(db: Database, site_id: str, place: str) -> None:
    """Nothing of ours is left in this ticket: a repeat need not look there again."""
    seen = sa.and_(ticket.c.site_id == site_id, ticket.c.issue_id == place)
    told = sa.and_(inbox.c.site_id == site_id, inbox.c.issue_id == place)
    notices = sa.and_(project.c.site_id == site_id, project.c.operations_ticket == place)
    with db.write() as c:
        c.execute(ticket.update().where(seen).values(assessed_at=None, comment_id=None))
        c.execute(inbox.delete().where(told, inbox.c.outcome == "handled"))
        c.execute(project.update().where(notices).values(operations_ticket=None))


def wipe(db: Database, site_id: str) -> int:
    """Take away every row of the site, all together. How many. Raises StillRunning."""
    active = sa.select(run.c.number).where(run.c.site_id == site_id, run.c.ended_at.is_(None))
    gone = 0
    with db.write() as c:
        if c.execute(active).first() is not None:
            raise StillRunning
        for table in metadata.sorted_tables:
            if "site_id" in table.c:
                gone += c.execute(sa.delete(table).where(table.c.site_id == site_id)).rowcount
        gone += c.execute(sa.delete(site).where(site.c.id == site_id)).rowcount
    return gone
