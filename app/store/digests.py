"""A project's week in numbers, and which weeks were told."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from app.core.run import Ending
from app.store.database import Database
from app.store.schema import run, ticket
from app.store.schema_money import digest, hold


@dataclass(frozen=True, slots=True)
class Week:
    """Amounts in micro-units. spent: real money, of what was set aside that week; simulated: made
    up. nothing: what of both went into runs that did not succeed. held, at_work: now."""

    spent: int
    simulated: int
    nothing: int
    tickets: int
    endings: tuple[tuple[Ending, int], ...]
    held: int
    at_work: int
    waits: tuple[tuple[str, int], ...]


def was_told(db: Database, site_id: str, project_key: str, week: datetime) -> bool:
    of = (digest.c.site_id == site_id, digest.c.project_key == project_key)
    with db.read() as c:
        return (
            c.execute(sa.select(digest.c.week).where(*of, digest.c.week == week)).first()
            is not None
        )


def told(db: Database, site_id: str, project_key: str, week: datetime, now: datetime) -> None:
    row = {"site_id": site_id, "project_key": project_key, "week": week, "told_at": now}
    with db.write() as c:
        c.execute(db.insert(digest).values(**row).on_conflict_do_nothing())


def numbers(db: Database, site_id: str, project_key: str, begins: datetime, ends: datetime) -> Week:
    with db.read() as c:
        costs = _costs(c, site_id, project_key, begins)
        opened = _open(c, site_id, project_key)
        endings = _endings(c, site_id, project_key, begins, ends)
        waits = _waits(c, site_id, project_key)
    spent, simulated, nothing, tickets = costs
    return Week(spent, simulated, nothing, tickets, endings, *opened, waits)


_COST = sa.func.coalesce(hold.c.actual - hold.c.refunded, 0)


def _costs(c: Connection, site_id: str, project_key: str, week: datetime) -> tuple[int, ...]:
    """A hold counts in the week in which it was made, as in the budgets."""
    of_run = sa.and_(
        run.c.site_id == hold.c.site_id,
        run.c.issue_id == hold.c.issue_id,
        run.c.number == hold.c.run,
    )
    led_to_nothing = sa.and_(run.c.ended_at.is_not(None), run.c.ending != Ending.SUCCEEDED.value)
    mine = (hold.c.site_id == site_id, hold.c.project_key == project_key, hold.c.week == week)
    parts = (hold.c.simulated.is_(False), hold.c.simulated.is_(True), led_to_nothing)
    sums = [sa.func.coalesce(sa.func.sum(sa.case((part, _COST), else_=0)), 0) for part in parts]
    tickets = sa.func.count(sa.distinct(sa.case((_COST > 0, hold.c.issue_id))))
    query = sa.select(*sums, tickets).select_from(hold.outerjoin(run, of_run)).where(*mine)
    return tuple(int(value) for value in c.execute(query).one())


def _open(c: Connection, site_id: str, project_key: str) -> tuple[int, int]:
    """What is set aside now, and for how many attempts."""
    of = ("issue_id", "run", "attempt")
    mine = (hold.c.site_id == site_id, hold.c.project_key == project_key, hold.c.state == "held")
    each = sa.select(sa.func.sum(hold.c.amount)).where(*mine).group_by(*(hold.c[n] for n in of))
    amounts = [int(amount) for amount in c.execute(each).scalars()]
    return sum(amounts), len(amounts)


def _endings(
    c: Connection, site_id: str, project_key: str, begins: datetime, ends: datetime
) -> tuple[tuple[Ending, int], ...]:
    within = (run.c.ended_at >= begins, run.c.ended_at < ends, run.c.ending.is_not(None))
    mine = (run.c.site_id == site_id, run.c.project_key == project_key, *within)
    query = sa.select(run.c.ending, sa.func.count().label("n")).where(*mine).group_by(run.c.ending)
    found = {row.ending: row.n for row in c.execute(query)}
    return tuple((ending, found[ending]) for ending in Ending if ending in found)


def _waits(c: Connection, site_id: str, project_key: str) -> tuple[tuple[str, int], ...]:
    """Tickets that could start but for something, by their first reason, the most first."""
    mine = (ticket.c.site_id == site_id, ticket.c.project_key == project_key)
    waiting = sa.select(ticket.c.decision).where(*mine, ticket.c.look_again.is_(True))
    codes: Counter[str] = Counter()
    for decision in c.execute(waiting).scalars():
        if decision and decision["decision"] == "defer" and decision["reasons"]:
            codes[decision["reasons"][0]["code"]] += 1
    return tuple(codes.most_common())
