"""What tickets have cost in the end: where the next one's forecast comes from."""

from __future__ import annotations

import sqlalchemy as sa

from app.core.forecast import Like
from app.core.run import Ending
from app.store.database import Database
from app.store.schema import run
from app.store.schema_money import hold

NEWEST = 1000
"""Tickets that are looked at: older ones say little about the agents of today."""


def like(db: Database, site_id: str, issue_id: str, agent: str, *, simulated: bool) -> list[Like]:
    """Other tickets of the site that this agent worked on and that have no run on, the newest
    first. Rehearsals and real money never mix."""
    mine = (run.c.site_id == site_id, run.c.agent == agent, run.c.simulated == simulated)
    cut = sa.case((run.c.ending == Ending.OVER_BUDGET.value, 1), else_=0)
    newest = sa.func.max(run.c.ended_at)
    tickets = (
        sa.select(
            run.c.issue_id,
            sa.func.max(run.c.project_key).label("project"),
            sa.func.max(run.c.size).label("size"),
            sa.func.max(cut).label("cut"),
            newest.label("at"),
        )
        .where(*mine, run.c.issue_id != issue_id)
        .group_by(run.c.issue_id)
        .having(sa.func.count() == sa.func.count(run.c.ended_at))
        .order_by(newest.desc())
        .limit(NEWEST)
        .subquery()
    )
    cost = sa.func.sum(sa.func.coalesce(hold.c.actual - hold.c.refunded, 0))
    of_ticket = sa.and_(
        hold.c.site_id == site_id, hold.c.issue_id == tickets.c.issue_id, hold.c.run > 0
    )
    query = (
        sa.select(tickets.c.project, tickets.c.size, tickets.c.cut, cost.label("cost"))
        .join_from(tickets, hold, of_ticket)
        .group_by(*tickets.c)
        .order_by(tickets.c.at.desc())
    )
    with db.read() as c:
        return [
            Like(row.project, row.size, int(row.cost), cut=bool(row.cut))
            for row in c.execute(query)
        ]
