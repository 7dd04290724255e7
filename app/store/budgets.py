"""Limits: what admins allow to be set aside and spent, by level and period."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import get_args

import sqlalchemy as sa

from app.core.money import LARGEST
from app.core.periods import FOREVER, Period
from app.store import chain
from app.store.database import Database
from app.store.schema import bucket


class InvalidBudget(ValueError):
    """There can be no such limit; the message says what there can be."""


@dataclass(frozen=True, slots=True)
class Limit:
    """limit: micro-units; 0 = nothing may run, None = no limit at this level.

    subject: site id, project key or issue id; "*" = each subject of the kind without its own.
    """

    kind: str
    subject: str
    period: str
    limit: int | None
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
) -> None:
    """Set, raise, lower or lift a limit. Below what is used already it stops new holds only.

    Setting one above a ticket also says that an admin has seen the overruns below it so far.
    Raises InvalidBudget.
    """
    _check(site_id, kind, subject, period, limit)
    key = {"site_id": site_id, "kind": kind, "subject": subject, "period": period}
    values = {"limit": limit, "changed_at": now, "changed_by": actor}
    with db.write() as c:
        insert = db.insert(bucket).values(**key, **values)
        c.execute(insert.on_conflict_do_update(index_elements=list(key), set_=values))
        if kind != "ticket":
            at = chain.Line(kind, subject, "once", FOREVER, limit)
            chain.write_down(
                c, chain.Act(site_id, "", "seen", actor, now), [at], [("available", 0)]
            )


def limits(db: Database, site_id: str) -> list[Limit]:
    """All limits of the site, the widest level first."""
    level = sa.case({kind: i for i, kind in enumerate(chain.LEVELS)}, value=bucket.c.kind)
    query = sa.select(bucket).where(bucket.c.site_id == site_id)
    with db.read() as c:
        rows = c.execute(query.order_by(level, bucket.c.subject, bucket.c.period)).mappings()
        return [Limit(**{k: v for k, v in row.items() if k != "site_id"}) for row in rows]


def _check(site_id: str, kind: str, subject: str, period: str, limit: int | None) -> None:
    if kind not in chain.LEVELS:
        raise InvalidBudget(f"{kind!r} is no level: use {', '.join(chain.LEVELS)}")
    if period not in chain.LEVELS[kind]:
        allowed = ", ".join(p for p in get_args(Period) if p in chain.LEVELS[kind])
        raise InvalidBudget(f"{period!r} is no period of a {kind}: use {allowed}")
    if not subject or (kind == "site" and subject != site_id):
        raise InvalidBudget(f"the budget of a site is named by its id, {site_id!r}")
    if limit is not None and (type(limit) is not int or not 0 <= limit <= LARGEST):
        raise InvalidBudget(f"{limit!r} is not an amount from 0 to {LARGEST} micro-units, or none")
