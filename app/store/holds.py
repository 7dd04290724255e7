"""The rows of holds: made once, ended at most once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from app.store.database import Database
from app.store.journal import Act
from app.store.schema import Moment
from app.store.schema_money import hold


class Resolved(NamedTuple):
    """row None: there is no such hold. again: it had ended before, and nothing was changed."""

    row: sa.RowMapping | None
    again: bool


def named(site_id: str, hold_id: str) -> sa.ColumnElement[bool]:
    return sa.and_(hold.c.site_id == site_id, hold.c.id == hold_id)


def insert(c: Connection, db: Database, row: Mapping[str, Any], now: datetime) -> bool:
    """False where there is one of this id."""
    new = {**row, "state": "held", "made_at": now}
    return bool(c.execute(db.insert(hold).on_conflict_do_nothing(), new).rowcount)


_COST = sa.bindparam("cost", type_=sa.BigInteger)
_OPEN = (
    hold.update()
    .where(
        hold.c.site_id == sa.bindparam("of_site"),
        hold.c.id == sa.bindparam("of_hold"),
        hold.c.state == "held",
    )
    .values(state=sa.bindparam("to"), resolved_at=sa.bindparam("when", type_=Moment))
    .returning(hold)
)
_AT_A_COST = _OPEN.values(
    actual=sa.func.coalesce(_COST, hold.c.amount),
    overrun=sa.case((hold.c.amount < _COST, _COST - hold.c.amount), else_=0),
)


def resolve(c: Connection, act: Act, state: str, actual: int | None) -> Resolved:
    """End the hold if it is open, at its cost (None = all of it): at most one call ever does."""
    key = {"of_site": act.site_id, "of_hold": act.hold_id, "to": state, "when": act.at}
    if state == "void":
        found = c.execute(_OPEN, key)
    else:
        found = c.execute(_AT_A_COST, {**key, "cost": actual})
    row = found.mappings().first()
    if row is not None:
        return Resolved(row, again=False)
    query = sa.select(hold).where(named(act.site_id, act.hold_id))
    return Resolved(c.execute(query).mappings().first(), again=True)
