"""Overrides: an admin lets a limit be passed for a reason and a time. They end by themselves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from app.core.money import LARGEST
from app.core.periods import period_end
from app.store import budgets, journal
from app.store.budgets import InvalidBudget
from app.store.chain import DEFAULT
from app.store.database import Database
from app.store.journal import Change
from app.store.schema_money import override

TERMS = ("kind", "subject", "period", "amount", "reason", "ends_at")


class OverrideConflict(Exception):
    """The id names an override of other terms."""


@dataclass(frozen=True, slots=True)
class Override:
    """amount: beyond the limit; None = the limit does not hold. ends_at None = until revoked."""

    id: str
    kind: str
    subject: str
    period: str
    amount: int | None
    reason: str
    actor: str
    made_at: datetime
    ends_at: datetime | None


def grant(  # noqa: PLR0913 - who lets what be passed, by how much and until when
    db: Database,
    site_id: str,
    *,
    key: str,
    kind: str,
    subject: str,
    period: str,
    amount: int | None,
    until: datetime | None,
    reason: str,
    actor: str,
    zone: str,
    now: datetime,
) -> Override:
    """Without `until` it ends with the period of now. An admin who grants one above a ticket has
    seen the overruns there. Repeated by its key. Raises InvalidBudget, OverrideConflict."""
    budgets.check(site_id, kind, subject, period)
    ends_at = until or period_end(period, now, zone)  # type: ignore[arg-type] # checked above
    _check(subject, amount, until, reason, now)
    new = Override(key, kind, subject, period, amount, reason.strip(), actor, now, ends_at)
    row: dict[str, Any] = {name: getattr(new, name) for name in new.__slots__}
    change = Change(site_id, kind, subject, period, "override", actor, now, new.reason)
    with db.write() as c:
        insert = db.insert(override).values(**row, site_id=site_id)
        if c.execute(insert.on_conflict_do_nothing()).rowcount:
            journal.write(c, change, [("limit", -(amount or 0)), ("available", amount or 0)])
            budgets.see_overruns(c, change)
            return new
        mine = sa.and_(override.c.site_id == site_id, override.c.id == key)
        there = _override(c.execute(sa.select(override).where(mine)).mappings().one())
    names = TERMS if until else TERMS[:-1]  # a repeat may come when the next period has begun
    if any(getattr(there, name) != row[name] for name in names):
        raise OverrideConflict(f"the override {key} was made with other terms")
    return there


def revoke(db: Database, site_id: str, key: str, actor: str, now: datetime) -> bool:
    """End it now. False where there is none in force."""
    mine = sa.and_(override.c.site_id == site_id, override.c.id == key)
    open_one = sa.or_(override.c.ends_at.is_(None), override.c.ends_at > now)
    with db.write() as c:
        ended = override.update().where(mine, open_one).values(ends_at=now).returning(override)
        row = c.execute(ended).mappings().first()
        if row is None:
            return False
        at = (site_id, row["kind"], row["subject"], row["period"])
        back = row["amount"] or 0
        change = Change(*at, "revoke", actor, now, row["reason"])
        journal.write(c, change, [("limit", back), ("available", -back)])
        return True


def in_force(db: Database, site_id: str, now: datetime) -> list[Override]:
    """Those that count now, the oldest first."""
    query = sa.select(override).where(
        override.c.site_id == site_id,
        sa.or_(override.c.ends_at.is_(None), override.c.ends_at > now),
    )
    with db.read() as c:
        rows = c.execute(query.order_by(override.c.made_at, override.c.id)).mappings()
        return [_override(row) for row in rows]


def _override(row: sa.RowMapping) -> Override:
    return Override(**{name: row[name] for name in Override.__slots__})


def _check(
    subject: str, amount: int | None, until: datetime | None, reason: str, now: datetime
) -> None:
    if subject == DEFAULT:
        raise InvalidBudget("an override is for one of them, not for each")
    if not reason.strip():
        raise InvalidBudget("an override needs a reason")
    if amount is None and until is None:
        raise InvalidBudget("an override needs an amount, or a time at which it ends")
    if until is not None and until <= now:
        raise InvalidBudget("an override cannot end before it begins")
    if amount is not None and (type(amount) is not int or not 1 <= amount <= LARGEST):
        raise InvalidBudget(f"{amount!r} is not an amount from 1 to {LARGEST} micro-units")
