"""Limits: what admins allow to be set aside and spent, by level and period."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import get_args

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from app.core.money import LARGEST
from app.core.periods import Period
from app.store import chain, journal
from app.store.database import Database
from app.store.journal import Change
from app.store.schema_money import bucket, hold

KEY = ("kind", "subject", "period")


class InvalidBudget(ValueError):
    """There can be no such limit; the message says what there can be."""


@dataclass(frozen=True, slots=True)
class Limit:
    """limit: micro-units; 0 = nothing may run, None = no limit at this level.

    subject: site id, project key, account id, issue id or kind of agent; "*" = each subject of
    the kind without its own.
    """

    kind: str
    subject: str
    period: str
    limit: int | None
    currency: str
    changed_at: datetime
    changed_by: str


def set_limit(  # noqa: PLR0913 - a limit is named by its level, subject and period
    db: Database,
    site_id: str,
    kind: str,
    subject: str,
    period: str,
    limit: int | None,
    actor: str,
    now: datetime,
    *,
    reason: str = "",
    currency: str = "USD",
) -> None:
    """Set, raise, lower or lift a limit. Below what is used already it stops new holds only.

    Setting one above a ticket also says that an admin has seen the overruns below it so far.
    Raises InvalidBudget.
    """
    check(site_id, kind, subject, period)
    check_amount(limit)
    change = Change(site_id, kind, subject, period, "limit", actor, now, reason or None)
    db.alone(lambda c: _set(c, db, change, limit, currency))


def raise_limit(  # noqa: PLR0913 - as above
    db: Database,
    site_id: str,
    kind: str,
    subject: str,
    period: str,
    by: int,
    actor: str,
    now: datetime,
    *,
    reason: str = "",
) -> int:
    """Add to a limit that is set there; the new one. Two admins at once raise it twice.
    Raises InvalidBudget."""
    check(site_id, kind, subject, period)
    change = Change(site_id, kind, subject, period, "limit", actor, now, reason or None)

    def verb(c: Connection) -> int:
        row = _there(c, change)
        if row is None or row["limit"] is None:
            raise InvalidBudget("there is no limit to raise: set one")
        check_amount(row["limit"] + by)
        _set(c, db, change, row["limit"] + by, row["currency"])
        return int(row["limit"] + by)

    return db.alone(verb)


def _there(c: Connection, change: Change) -> sa.RowMapping | None:
    """The limit as it stands; nobody else changes it until the transaction ends."""
    same = [bucket.c[name] == getattr(change, name) for name in KEY]
    query = sa.select(bucket).where(bucket.c.site_id == change.site_id, *same)
    return c.execute(query.with_for_update()).mappings().first()


def _set(c: Connection, db: Database, change: Change, limit: int | None, currency: str) -> None:
    before = _there(c, change)
    if before is not None and before["currency"] != currency:
        raise InvalidBudget(f"the limit there is in {before['currency']}")
    key = {name: getattr(change, name) for name in ("site_id", *KEY)}
    values = {"limit": limit, "changed_at": change.at, "changed_by": change.actor}
    insert = db.insert(bucket).values(**key, **values, currency=currency)
    c.execute(insert.on_conflict_do_update(index_elements=list(key), set_=values))
    more = (limit or 0) - ((before["limit"] if before else None) or 0)
    journal.write(c, change, [("limit", -more), ("available", more)])
    see_overruns(c, change)


def see_overruns(c: Connection, change: Change) -> None:
    """An admin who sets money right above a ticket has seen what was overrun there."""
    if change.kind not in ("site", "project"):
        return
    unseen = sa.and_(hold.c.site_id == change.site_id, hold.c.overrun > 0, hold.c.seen_at.is_(None))
    if change.kind == "project" and change.subject != chain.DEFAULT:
        unseen = sa.and_(unseen, hold.c.project_key == change.subject)
    if c.execute(hold.update().where(unseen).values(seen_at=change.at)).rowcount:
        seen = Change(**{**asdict(change), "verb": "seen"})
        journal.write(c, seen, [("available", 0)])


def limits(db: Database, site_id: str) -> list[Limit]:
    """All limits of the site, the widest level first."""
    level = sa.case({kind: i for i, kind in enumerate(chain.LEVELS)}, value=bucket.c.kind)
    query = sa.select(bucket).where(bucket.c.site_id == site_id)
    with db.read() as c:
        rows = c.execute(query.order_by(level, bucket.c.subject, bucket.c.period)).mappings()
        return [Limit(**{k: v for k, v in row.items() if k != "site_id"}) for row in rows]


def check(site_id: str, kind: str, subject: str, period: str) -> None:
    """Raises InvalidBudget where no limit can be."""
    if kind not in chain.LEVELS:
        raise InvalidBudget(f"{kind!r} is no level: use {', '.join(chain.LEVELS)}")
    if period not in chain.LEVELS[kind]:
        allowed = ", ".join(p for p in get_args(Period) if p in chain.LEVELS[kind])
        raise InvalidBudget(f"{period!r} is no period of a {kind}: use {allowed}")
    if not subject or (kind == "site" and subject != site_id):
        raise InvalidBudget(f"the budget of a site is named by its id, {site_id!r}")


def check_amount(amount: int | None) -> None:
    if amount is not None and (type(amount) is not int or not 0 <= amount <= LARGEST):
        raise InvalidBudget(f"{amount!r} is not an amount from 0 to {LARGEST} micro-units, or none")
