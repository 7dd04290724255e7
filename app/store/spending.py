"""What the ledger says: held and spent money of a budget, a ticket, a run, of everything."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, TypedDict

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from app.core.periods import PERIODS, Period, period_end, period_start
from app.store import chain
from app.store.database import Database
from app.store.schema import site
from app.store.schema_money import balance, bucket, hold, override


class Money(NamedTuple):
    """Two figures that are never added up."""

    held: int
    posted: int


NOTHING = Money(0, 0)


@dataclass(frozen=True, slots=True)
class Balance:
    """A budget in its present period. Held comes back, in part or whole, when attempts end.

    limit: the one in force, with what overrides allow beyond it. simulated: what of posted and
    held is made up, for a rehearsal."""

    kind: str
    subject: str
    period: Period
    limit: int | None
    posted: int
    held: int
    starts: datetime
    resets_at: datetime | None
    simulated: Money = NOTHING

    @property
    def free(self) -> int | None:
        return None if self.limit is None else max(0, self.limit - self.posted - self.held)


@dataclass(frozen=True, slots=True)
class Hold:
    """Money set aside for one attempt, or what became of it. actual: what it cost in the end."""

    site_id: str
    id: str
    project_key: str
    issue_id: str
    person: str | None
    agent: str | None
    run: int
    attempt: int
    amount: int
    state: str  # held | posted | void | expired
    actual: int | None
    refunded: int
    overrun: int
    price_version: str
    simulated: bool
    holder: str
    made_at: datetime
    resolved_at: datetime | None
    expires_at: datetime | None


class Totals(TypedDict):
    held: int
    posted: int
    open_holds: int


HELD = sa.func.coalesce(sa.func.sum(sa.case((hold.c.state == "held", hold.c.amount))), 0)
POSTED = sa.func.coalesce(sa.func.sum(hold.c.actual - hold.c.refunded), 0)


def balances(db: Database, site_id: str, now: datetime) -> list[Balance]:
    """The budgets of the site that have a limit, in the period of `now`, widest level first.

    Of tickets, only those with a limit of their own or with money set aside."""
    with db.read() as c:
        zone = c.execute(sa.select(site.c.zone).where(site.c.id == site_id)).scalar()
        if zone is None:
            return []
        rules = _rules(c, site_id, now)
        used = _used(c, site_id, zone, now)
        made_up = _simulated(c, site_id, zone, now)
    subjects = {key[:2] for key in (*rules.limits, *used) if key[1] != chain.DEFAULT}
    found = []
    for kind, periods in chain.LEVELS.items():
        for subject in sorted(subject for level, subject in subjects if level == kind):
            for period in periods:
                line = chain.Line(kind, subject, period, period_start(period, now, zone))
                if rules.set_there(*line[:3]) is None:
                    continue
                money = used.get(line[:3], NOTHING)
                ends = period_end(period, now, zone)
                at = (*line[:3], rules.limit(*line[:3]), money.posted, money.held)
                simulated = made_up.get(line, NOTHING)
                found.append(Balance(*at, line.starts, ends, simulated))
    return found


def _rules(c: Connection, site_id: str, now: datetime) -> chain.Rules:
    """Everything that is set in the site."""
    found = chain.Rules()
    for row in c.execute(sa.select(bucket).where(bucket.c.site_id == site_id)):
        found.limits[row.kind, row.subject, row.period] = row.limit
    over = sa.or_(override.c.ends_at.is_(None), override.c.ends_at > now)
    for row in c.execute(sa.select(override).where(override.c.site_id == site_id, over)):
        found.allow((row.kind, row.subject, row.period), row.amount)
    return found


def _used(
    c: Connection, site_id: str, zone: str, now: datetime
) -> dict[tuple[str, str, str], Money]:
    """The balances of the present periods, without those of tickets at rest."""
    present = sa.or_(
        *(
            sa.and_(balance.c.period == period, balance.c.starts == period_start(period, now, zone))
            for period in PERIODS
        )
    )
    own = sa.exists().where(
        bucket.c.site_id == balance.c.site_id,
        bucket.c.kind == balance.c.kind,
        bucket.c.subject == balance.c.subject,
    )
    shown = sa.or_(balance.c.kind != "ticket", balance.c.held > 0, own)
    query = sa.select(balance).where(balance.c.site_id == site_id, present, shown)
    rows = c.execute(query)
    return {(row.kind, row.subject, row.period): Money(row.held, row.posted) for row in rows}


def _simulated(c: Connection, site_id: str, zone: str, now: datetime) -> dict[chain.Line, Money]:
    """What of the present periods is made up. Where real agents work there is little of it."""
    present = chain.starts(zone, now)
    names = ("project_key", "person", "issue_id", "agent", "day", "week", "month")
    of = [hold.c[name] for name in names]
    mine = (hold.c.site_id == site_id, hold.c.simulated.is_(True))
    query = sa.select(*of, HELD.label("held"), POSTED.label("posted")).where(*mine).group_by(*of)
    sums: dict[chain.Line, Money] = {}
    for row in c.execute(query).mappings():
        for line in chain.lines({**row, "site_id": site_id}):
            if line.starts == present[line.period]:
                held, posted = sums.get(line, NOTHING)
                sums[line] = Money(held + int(row["held"]), posted + int(row["posted"]))
    return sums


_HOLDS = sa.select(*(hold.c[name] for name in Hold.__slots__))


def open_holds(db: Database, site_id: str | None = None) -> list[Hold]:
    """Money that is set aside now, the oldest first."""
    query = _HOLDS.where(hold.c.state == "held").order_by(hold.c.made_at, hold.c.id)
    if site_id is not None:
        query = query.where(hold.c.site_id == site_id)
    with db.read() as c:
        return [Hold(**row) for row in c.execute(query).mappings()]


def overdue(db: Database, now: datetime) -> list[Hold]:
    """Open holds whose time is over, of all sites, the oldest first."""
    late = sa.and_(hold.c.state == "held", hold.c.expires_at <= now)
    with db.read() as c:
        query = _HOLDS.where(late).order_by(hold.c.expires_at, hold.c.id)
        return [Hold(**row) for row in c.execute(query).mappings()]


def hold_of(db: Database, site_id: str, hold_id: str) -> Hold | None:
    query = _HOLDS.where(hold.c.site_id == site_id, hold.c.id == hold_id)
    with db.read() as c:
        row = c.execute(query).mappings().first()
        return None if row is None else Hold(**row)


def ticket_cost(db: Database, site_id: str, issue_id: str) -> Money:
    """What the ticket has cost over its life, all runs and attempts; held stands apart."""
    return _sums(db, hold.c.site_id == site_id, hold.c.issue_id == issue_id)


def run_money(db: Database, site_id: str, issue_id: str, run: int) -> Money:
    mine = (hold.c.site_id == site_id, hold.c.issue_id == issue_id, hold.c.run == run)
    return _sums(db, *mine)


def totals(db: Database) -> Totals:
    """All sites together."""
    opened = sa.func.count(sa.case((hold.c.state == "held", 1)))
    with db.read() as c:
        row = c.execute(sa.select(HELD, POSTED, opened)).one()
        return {"held": int(row[0]), "posted": int(row[1]), "open_holds": int(row[2])}


def _sums(db: Database, *where: sa.ColumnElement[bool]) -> Money:
    with db.read() as c:
        held, posted = c.execute(sa.select(HELD, POSTED).where(*where)).one()
        return Money(int(held), int(posted))  # Postgres sums whole numbers into a Decimal
