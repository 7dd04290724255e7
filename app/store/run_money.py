"""The money of a run's attempts: one hold each, and what topped it up. They end together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from app.core.run import RunRef
from app.store import ledger
from app.store.database import Database
from app.store.schema_money import hold

LOOKED_AT_AFTER = timedelta(days=1)
"""No attempt takes that long: then somebody looks whether its run is still on."""


@dataclass(frozen=True, slots=True)
class Money:
    """What an attempt of a run sets aside. amount: micro-units. zone: the site's, IANA. prices:
    version of the list that it is worked out by."""

    amount: int
    zone: str
    prices: str


def reserve_in(  # noqa: PLR0913 - an amount is never set aside without all of these
    c: Connection,
    db: Database,
    ref: RunRef,
    number: int,
    row: Mapping[str, Any],
    money: Money,
    now: datetime,
) -> ledger.Reserved | ledger.NoRoom:
    """Set an attempt's money aside; `row` is the run's. It counts to who dispatched it."""
    return ledger.reserve_in(
        c,
        db,
        hold_id=ref.hold_id(number),
        site_id=ref.site_id,
        zone=money.zone,
        project_key=row["project_key"],
        issue_id=ref.issue_id,
        person=row["actor"] or None,
        agent=row["agent"],
        run=ref.number,
        attempt=number,
        amount=money.amount,
        price_version=money.prices,
        simulated=row["simulated"],
        holder=ref.workflow_id,
        expires_at=now + LOOKED_AT_AFTER,
        actor=row["actor"],
        now=now,
    )


def _of_run(ref: RunRef) -> sa.ColumnElement[bool]:
    return sa.and_(
        hold.c.site_id == ref.site_id, hold.c.issue_id == ref.issue_id, hold.c.run == ref.number
    )


def set_aside_in(c: Connection, ref: RunRef, number: int) -> int:
    """What the attempt's open holds come to."""
    return open_in(c, ref).get(number, 0)


class Aside(NamedTuple):
    """What an attempt's open holds come to, and what of it was added since it began."""

    held: int
    topped_up: int


def aside(db: Database, ref: RunRef, number: int) -> Aside:
    """What is set aside for the attempt now; nothing where it has ended."""
    with db.read() as c:
        opened = _open(c, ref, number)
    added = sum(amount for hold_id, amount in opened if hold_id != ref.hold_id(number))
    return Aside(sum(amount for _, amount in opened), added)


def open_in(c: Connection, ref: RunRef) -> dict[int, int]:
    """By attempt, what its open holds come to."""
    query = sa.select(hold.c.attempt, hold.c.amount).where(_of_run(ref), hold.c.state == "held")
    sums: dict[int, int] = defaultdict(int)
    for number, amount in c.execute(query):
        sums[number] += amount
    return dict(sums)


def settle_in(
    c: Connection, db: Database, ref: RunRef, number: int, cost: int, now: datetime
) -> None:
    """The attempt has cost that much: its holds take it one after another, the last the rest."""
    opened = _open(c, ref, number) or [(ref.hold_id(number), 0)]  # it has ended: a repeat
    for at, (hold_id, amount) in enumerate(opened, 1):
        actual = cost if at == len(opened) else min(cost, amount)
        key = {"site_id": ref.site_id, "hold_id": hold_id}
        ledger.settle_in(c, db, actual=actual, actor="signalbox", now=now, **key)
        cost -= actual


def void_in(c: Connection, db: Database, ref: RunRef, number: int, now: datetime) -> None:
    """The attempt never began."""
    for hold_id, _ in _open(c, ref, number):
        ledger.void_in(c, db, site_id=ref.site_id, hold_id=hold_id, actor="signalbox", now=now)


def _open(c: Connection, ref: RunRef, number: int) -> list[tuple[str, int]]:
    mine = sa.and_(_of_run(ref), hold.c.attempt == number, hold.c.state == "held")
    query = sa.select(hold.c.id, hold.c.amount).where(mine).order_by(hold.c.made_at, hold.c.id)
    return [(row.id, row.amount) for row in c.execute(query)]


def set_aside(db: Database, ref: RunRef) -> int:
    """What was set aside for the run in all, given back or not."""
    query = sa.select(sa.func.coalesce(sa.func.sum(hold.c.amount), 0)).where(_of_run(ref))
    with db.read() as c:
        return int(c.execute(query).scalar_one())
