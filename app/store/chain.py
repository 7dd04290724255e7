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
_SITE: sa.BindParameter[str] = sa.bindparam("site_id")
_LIMITS = (  # with a parameter for the subject of each level
    sa.select(bucket)
    .where(
        bucket.c.site_id == _SITE,
        sa.or_(
            *(
                sa.and_(bucket.c.kind == kind, bucket.c.subject.in_([sa.bindparam(kind), DEFAULT]))
                for kind in LEVELS
            )
        ),
    )
    .with_for_update(read=True)
)


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
    rows = c.execute(_LIMITS, {"site_id": site_id, **subjects}).mappings()
    return {(row["kind"], row["subject"], row["period"]): row["limit"] for row in rows}


def in_force(
    limits: Mapping[tuple[str, str, str], int | None], kind: str, subject: str, period: str
) -> int | None:
    """The subject's own limit where there is one (it may say "none"), else the default."""
    own = (kind, subject, period)
    return limits[own] if own in limits else limits.get((kind, DEFAULT, period))


def key(line: Line) -> dict[str, Any]:
    return {
        "kind": line.kind,
        "subject": line.subject,
        "period": line.period,
        "starts": line.starts,
    }


_AT = sa.and_(
    *(
        column == sa.bindparam(f"at_{column.name}", type_=column.type)
        for column in balance.primary_key.columns
    )
)
_USED = balance.c.posted + balance.c.held
_ADD = (
    balance.update()
    .where(_AT, _USED + sa.bindparam("amount") <= sa.bindparam("most"))
    .values(held=balance.c.held + sa.bindparam("amount"))
)
_MOVE = (
    balance.update()
    .where(_AT)
    .values(
        held=balance.c.held + sa.bindparam("of_held"),
        posted=balance.c.posted + sa.bindparam("of_posted"),
    )
)
_TOP_DOWN = [
    sa.case({name: rank for rank, name in enumerate(names)}, value=column)
    for column, names in ((balance.c.kind, LEVELS), (balance.c.period, PERIODS))
]
_BALANCES = (
    sa.select(balance)
    .where(
        balance.c.site_id == _SITE,
        sa.tuple_(balance.c.kind, balance.c.subject, balance.c.period, balance.c.starts).in_(
            sa.bindparam("lines", expanding=True)
        ),
    )
    .order_by(*_TOP_DOWN)
    .with_for_update()
)
_MADE = (
    sa.select(entry.c.kind, entry.c.subject, entry.c.period, entry.c.starts)
    .where(
        entry.c.site_id == _SITE,
        entry.c.hold_id == sa.bindparam("hold_id"),
        entry.c.verb == "reserve",
        entry.c.account == "held",
    )
    .order_by(entry.c.seq)
)


def set_aside(
    c: Connection, db: Database, site_id: str, chain: Sequence[Line], amount: int
) -> None:
    """Add to each balance on the condition that it still fits. Raises Full, having added nothing.

    Balances that do not exist yet are made, at zero; they go with the caller's rollback."""
    there = _locked(c, site_id, chain)
    if len(there) < len(chain):
        rows = [{"site_id": site_id, **key(line), "posted": 0, "held": 0} for line in chain]
        c.execute(db.insert(balance).on_conflict_do_nothing(), rows)
        there = _locked(c, site_id, chain)
    for line in chain:
        posted, held = there[line.kind, line.period]
        if line.limit is not None and posted + held + amount > line.limit:
            raise Full(line, posted, held)
    most = [NO_LIMIT if line.limit is None else line.limit for line in chain]
    bound = zip(_bound(site_id, chain), most, strict=True)
    added = c.execute(_ADD, [{**at, "amount": amount, "most": m} for at, m in bound]).rowcount
    if added != len(chain):
        raise RuntimeError("a balance changed while it was locked: this is no transaction")


def _locked(
    c: Connection, site_id: str, chain: Sequence[Line]
) -> dict[tuple[str, str], tuple[int, int]]:
    """(posted, held) of the balances that exist, locked top down until the transaction ends."""
    there = [tuple(key(line).values()) for line in chain]
    rows = c.execute(_BALANCES, {"site_id": site_id, "lines": there})
    return {(row.kind, row.period): (row.posted, row.held) for row in rows}


def move(c: Connection, site_id: str, chain: Iterable[Line], *, held: int, posted: int) -> None:
    """Add to what is held and to what is posted in each balance, top down."""
    change = {"of_held": held, "of_posted": posted}
    c.execute(_MOVE, [{**at, **change} for at in _bound(site_id, chain)])


def _bound(site_id: str, chain: Iterable[Line]) -> list[dict[str, Any]]:
    return [
        {"at_site_id": site_id, **{f"at_{name}": value for name, value in key(line).items()}}
        for line in chain
    ]


def lines_of(c: Connection, site_id: str, hold_id: str) -> list[Line]:
    """The balances that the hold was counted in when it was made, whatever the day is now."""
    rows = c.execute(_MADE, {"site_id": site_id, "hold_id": hold_id})
    return [Line(row.kind, row.subject, row.period, row.starts, None) for row in rows]


def write_down(
    c: Connection, act: Act, chain: Iterable[Line], moves: Sequence[tuple[str, int]]
) -> None:
    """Append what moved between which accounts of each balance. It sums to zero."""
    about = asdict(act)
    rows = [
        {**about, **key(line), "account": account, "amount": amount}
        for line in chain
        for account, amount in moves
    ]
    c.execute(entry.insert(), rows)
