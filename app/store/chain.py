"""Which balances one hold counts in, in fixed order, and what room each of them has.

Site > project > person who asked > ticket, and across them the kind of agent. Every level is
counted in all of its periods, whether it has a limit or not, so a limit that is set in the middle
of a month knows what the month has cost.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from app.core.periods import FOREVER, PERIODS, Period, period_start
from app.store.schema import EPOCH, Moment
from app.store.schema_money import bucket, hold, override

LEVELS: Mapping[str, tuple[Period, ...]] = {
    "site": PERIODS,
    "project": PERIODS,
    "person": PERIODS,
    "ticket": ("once",),
    "agent": PERIODS,
}
SUBJECTS: Mapping[str, sa.Column[Any]] = {
    "site": hold.c.site_id,
    "project": hold.c.project_key,
    "person": hold.c.person,
    "ticket": hold.c.issue_id,
    "agent": hold.c.agent,
}
"""Whose balances a hold counts in, by level; where the column is empty, in none of it."""
ABOVE_A_TICKET = ("site", "project", "person")
"""One of these needs a limit, or nothing may be spent."""
DEFAULT = "*"
"""The subject of the limit that holds for each subject of its kind without one of its own."""

MICROSECOND = timedelta(microseconds=1)
Slot = tuple[str, str, str]  # kind, subject, period
Of = Mapping[str, Any] | sa.RowMapping  # a row of the table of holds


class Line(NamedTuple):
    """One balance of the chain."""

    kind: str
    subject: str
    period: Period
    starts: datetime


class Used(NamedTuple):
    """What stands in a balance. The two are never added up for a person."""

    posted: int
    held: int


@dataclass(frozen=True, slots=True)
class Rules:
    """What admins have set over a hold, as it stands at one instant."""

    limits: dict[Slot, int | None] = field(default_factory=dict)
    beyond: dict[Slot, int | None] = field(default_factory=dict)  # overrides; None = no limit
    currencies: set[str] = field(default_factory=set)
    overrun: bool = False  # one in this project that no admin has seen

    def allow(self, slot: Slot, amount: int | None) -> None:
        """An override, beside those there are."""
        before = self.beyond.get(slot, 0)
        self.beyond[slot] = None if before is None or amount is None else before + amount

    def set_there(self, kind: str, subject: str, period: str) -> int | None:
        """The subject's own limit where there is one (it may say "none"), else the default."""
        slot, default = (kind, subject, period), (kind, DEFAULT, period)
        return self.limits[slot] if slot in self.limits else self.limits.get(default)

    def limit(self, kind: str, subject: str, period: str) -> int | None:
        """The limit in force: what is set, and what overrides allow beyond it."""
        limit = self.set_there(kind, subject, period)
        beyond = self.beyond.get((kind, subject, period), 0)
        return None if limit is None or beyond is None else limit + beyond


def starts(zone: str, now: datetime) -> dict[str, datetime]:
    """By period, its first instant. What `once` counts has no other."""
    return {period: period_start(period, now, zone) for period in PERIODS}


def lines(of: Of) -> list[Line]:
    """The balances that a hold counts in, top first: by its own row, or what is to become it.

    The periods are those of when it was made, whatever the day is now."""
    return [
        Line(kind, of[column.name], period, FOREVER if period == "once" else of[period])
        for kind, column in SUBJECTS.items()
        if of[column.name] is not None
        for period in LEVELS[kind]
    ]


def _rules() -> sa.CompoundSelect[Any]:
    """One statement, so that what it reads stood there at one instant."""

    def mine(table: sa.Table) -> sa.ColumnElement[bool]:
        named = [
            sa.and_(table.c.kind == kind, table.c.subject.in_([sa.bindparam(kind), DEFAULT]))
            for kind in LEVELS
        ]
        return sa.and_(table.c.site_id == sa.bindparam("site_id"), sa.or_(*named))

    now = sa.bindparam("now", type_=Moment)
    over = sa.or_(override.c.ends_at.is_(None), override.c.ends_at > now)
    unseen = sa.and_(
        hold.c.site_id == sa.bindparam("site_id"),
        hold.c.project_key == sa.bindparam("project"),
        hold.c.overrun > 0,
        hold.c.seen_at.is_(None),
    )
    none = sa.literal("")
    at = ("kind", "subject", "period")
    return sa.union_all(
        sa.select(
            sa.literal("limit").label("what"),
            *(bucket.c[name] for name in at),
            bucket.c.limit.label("amount"),
            bucket.c.currency,
        ).where(mine(bucket)),
        sa.select(
            sa.literal("beyond"), *(override.c[name] for name in at), override.c.amount, none
        ).where(mine(override), over),
        sa.select(sa.literal("overrun"), none, none, none, hold.c.overrun, none).where(unseen),
    )


_RULES = _rules()


def rules(c: Connection, of: Of, now: datetime) -> Rules:
    """What is set over the hold of this row."""
    subjects = {kind: of[column.name] or "" for kind, column in SUBJECTS.items()}
    found, overrun = Rules(), False
    for row in c.execute(_RULES, {"site_id": of["site_id"], "now": now, **subjects}):
        slot = (row.kind, row.subject, row.period)
        if row.what == "limit":
            found.limits[slot] = row.amount
            found.currencies.add(row.currency)
        elif row.what == "beyond":
            found.allow(slot, row.amount)
        else:
            overrun = True
    return Rules(found.limits, found.beyond, found.currencies, overrun)


_INTO = "INSERT INTO balance (site_id, kind, subject, period, starts, posted, held) "
_ADD = (
    " ON CONFLICT (site_id, kind, subject, period, starts) DO UPDATE "
    "SET posted = balance.posted + :posted, held = balance.held + :held "
    "RETURNING kind, period, posted, held"
)
# Rows are made, and locked, in the order that they come in: the same in every transaction.
_SHIFT = sa.text(  # a few parameters, however many rows: the driver remembers it
    f"{_INTO} SELECT :site_id, kind, subject, period, starts, :new_posted, :new_held "  # noqa: S608
    "FROM unnest("
    "CAST(:kind AS text[]), CAST(:subject AS text[]), CAST(:period AS text[]), "
    "CAST(:starts AS bigint[])) WITH ORDINALITY AS line (kind, subject, period, starts, place) "
    f"ORDER BY place {_ADD}"
)


@cache
def _shift_sqlite(count: int) -> sa.TextClause:
    row = "(:site_id, :kind_{0}, :subject_{0}, :period_{0}, :starts_{0}, :new_posted, :new_held)"
    return sa.text(f"{_INTO} VALUES {', '.join(row.format(at) for at in range(count))} {_ADD}")


def shift(
    c: Connection, site_id: str, chain: Sequence[Line], *, posted: int = 0, held: int = 0
) -> list[tuple[Line, Used]]:
    """Add to what is posted and held in each balance of the chain, in one statement; the
    balances with what stands in them then. One that does not exist yet is made."""
    values: dict[str, Any] = {"site_id": site_id, "posted": posted, "held": held}
    values |= {"new_posted": max(0, posted), "new_held": max(0, held)}
    raw = [(*line[:3], (line.starts - EPOCH) // MICROSECOND) for line in chain]
    if c.dialect.name == "sqlite":
        each = enumerate(raw)
        values |= {f"{name}_{at}": value for at, line in each for name, value in _named(line)}
        rows = c.execute(_shift_sqlite(len(chain)), values)
    else:
        columns = zip(Line._fields, zip(*raw, strict=True), strict=True)
        rows = c.execute(_SHIFT, values | {name: list(column) for name, column in columns})
    after = {(row.kind, row.period): Used(row.posted, row.held) for row in rows}
    return [(line, after[line.kind, line.period]) for line in chain]


def _named(line: tuple[Any, ...]) -> Iterable[tuple[str, Any]]:
    return zip(Line._fields, line, strict=True)
