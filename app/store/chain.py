"""Which balances one hold touches: site > project > ticket, each by its periods, in fixed order.

Every level is counted in all of its periods, whether it has a limit or not, so a limit that is
set in the middle of a month knows what the month has cost. A further level or period only adds
rows here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from app.core.periods import PERIODS, Period, period_start
from app.store.database import Database
from app.store.schema import balance, bucket, entry

LEVELS: Mapping[str, tuple[Period, ...]] = {
    "site": PERIODS,
    "project": PERIODS,
    "ticket": ("once",),
}
DEFAULT = "*"
"""The subject of the limit that holds for each subject of its kind without one of its own."""


NO_LIMIT = 2**62


@dataclass(frozen=True, slots=True)
class Line:
    """One balance of the chain, with the limit in force. limit None = none at this level."""

    kind: str
    subject: str
    period: Period
    starts: datetime
    limit: int | None


@dataclass(frozen=True, slots=True)
class Act:
    """Who does what with which hold, and when: the same on all entries of one verb."""

    site_id: str
    hold_id: str
    verb: str  # reserve | settle | overrun | void | seen
    actor: str
    at: datetime


class Full(Exception):
    """The amount does not fit into this balance."""

    def __init__(self, line: Line, posted: int, held: int) -> None:
        super().__init__(f"{line.kind} {line.subject} {line.period}")
        self.line = line
        self.posted = posted
        self.held = held


def lines(
    c: Connection, site_id: str, subjects: Mapping[str, str], zone: str, now: datetime
) -> list[Line]:
    """The chain over `subjects` (kind -> subject), top first. Reads the limits, and on Postgres
    keeps them from changing until the transaction ends."""
    limits = _limits(c, site_id, subjects)
    return [
        Line(kind, subjects[kind], period, starts, in_force(limits, kind, subjects[kind], period))
        for kind, periods in LEVELS.items()
        for period, starts in ((p, period_start(p, now, zone)) for p in periods)
    ]


def _limits(
    c: Connection, site_id: str, subjects: Mapping[str, str]
) -> dict[tuple[str, str, str], int | None]:
    named = [
        sa.and_(bucket.c.kind == kind, bucket.c.subject.in_([subject, DEFAULT]))
        for kind, subject in subjects.items()
    ]
    query = sa.select(bucket).where(bucket.c.site_id == site_id, sa.or_(*named))
    rows = c.execute(query.with_for_update(read=True)).mappings()
    return {(row["kind"], row["subject"], row["period"]): row["limit"] for row in rows}


def in_force(
    limits: Mapping[tuple[str, str, str], int | None], kind: str, subject: str, period: str
) -> int | None:
    """The subject's own limit where there is one (it may say "none"), else the default."""
    own = (kind, subject, period)
    return limits[own] if own in limits else limits.get((kind, DEFAULT, period))


def make_rows(c: Connection, db: Database, site_id: str, chain: Iterable[Line]) -> None:
    """Make the balances that do not exist yet, at zero. They go with the caller's rollback."""
    rows = [{"site_id": site_id, **key(line), "posted": 0, "held": 0} for line in chain]
    c.execute(db.insert(balance).on_conflict_do_nothing(), rows)


def key(line: Line) -> dict[str, Any]:
    return {
        "kind": line.kind,
        "subject": line.subject,
        "period": line.period,
        "starts": line.starts,
    }


def set_aside(c: Connection, site_id: str, chain: Iterable[Line], amount: int) -> None:
    """Add to each balance on the condition that it still fits, in fixed order. Raises Full."""
    change = (
        balance.update()
        .where(_row(site_id), balance.c.posted + balance.c.held + amount <= sa.bindparam("most"))
        .values(held=balance.c.held + amount)
    )
    for line in chain:
        most = NO_LIMIT if line.limit is None else line.limit
        if c.execute(change, {**_bound(line), "most": most}).rowcount != 1:
            there = sa.select(balance.c.posted, balance.c.held).where(_row(site_id))
            posted, held = c.execute(there, _bound(line)).one()
            raise Full(line, posted, held)


def move(c: Connection, site_id: str, chain: Iterable[Line], *, held: int, posted: int) -> None:
    change = balance.update().where(_row(site_id))
    change = change.values(held=balance.c.held + held, posted=balance.c.posted + posted)
    c.execute(change, [_bound(line) for line in chain])


def _row(site_id: str) -> sa.ColumnElement[bool]:
    columns = (balance.c.kind, balance.c.subject, balance.c.period, balance.c.starts)
    at = (column == sa.bindparam(f"at_{column.name}", type_=column.type) for column in columns)
    return sa.and_(balance.c.site_id == site_id, *at)


def _bound(line: Line) -> dict[str, Any]:
    return {f"at_{name}": value for name, value in key(line).items()}


def lines_of(c: Connection, site_id: str, hold_id: str) -> list[Line]:
    """The balances that the hold was counted in when it was made, whatever the day is now."""
    made = (entry.c.kind, entry.c.subject, entry.c.period, entry.c.starts)
    mine = sa.and_(entry.c.site_id == site_id, entry.c.hold_id == hold_id)
    mine = sa.and_(mine, entry.c.verb == "reserve", entry.c.account == "held")
    rows = c.execute(sa.select(*made).where(mine).order_by(entry.c.seq))
    return [Line(row.kind, row.subject, row.period, row.starts, None) for row in rows]


def write_down(
    c: Connection, act: Act, chain: Iterable[Line], moves: Sequence[tuple[str, int]]
) -> None:
    """Append what moved between which accounts of each balance. It sums to zero."""
    rows = [
        {**asdict(act), **key(line), "account": account, "amount": amount}
        for line in chain
        for account, amount in moves
    ]
    c.execute(entry.insert(), rows)
