"""Thresholds of budgets that were crossed: written down in the transaction that crossed them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from app.store.chain import Line, Rules, Used
from app.store.database import Database
from app.store.schema_money import alert

Row = sa.RowMapping
THRESHOLDS = (50, 80, 100)
"""Per cent of the limit in force."""
Mark = Literal["told_at", "sent_at"]
"""On the operations tickets; to the webhook. Neither waits for the other."""
AT_ONCE = 50


def note(  # noqa: PLR0913 - what was added, where, under which rules
    c: Connection,
    db: Database,
    site_id: str,
    rules: Rules,
    after: Iterable[tuple[Line, Used]],
    *,
    used: int,
    spent: int,
    now: datetime,
) -> None:
    """`used` and `spent` were added to what is posted and held, and to what is posted. Each
    threshold counts once a period; a higher limit arms it again."""
    rows: list[dict[str, Any]] = []
    for line, money in after:
        limit = rules.limit(*line[:3])
        if limit is None:
            continue
        values = {"used": sum(money) if used > 0 else 0, "spent": money.posted if spent > 0 else 0}
        of = {"site_id": site_id, **line._asdict(), **money._asdict(), "limit": limit, "at": now}
        rows += [
            {**of, "threshold": threshold, "basis": basis}
            for basis, value in values.items()
            for threshold in THRESHOLDS
            if value and value * 100 >= threshold * limit
        ]
    if rows:
        insert = db.insert(alert)
        new = {name: insert.excluded[name] for name in ("limit", "posted", "held", "at")}
        insert = insert.on_conflict_do_update(
            index_elements=list(alert.primary_key.columns),
            set_={**new, "told_at": None, "sent_at": None},
            where=alert.c.limit < insert.excluded.limit,
        )
        c.execute(insert, rows)


def untold(db: Database, site_id: str, mark: Mark) -> list[Row]:
    """Thresholds of the site that were crossed and are not marked so, the oldest first."""
    query = sa.select(alert).where(alert.c.site_id == site_id, alert.c[mark].is_(None))
    with db.read() as c:
        ordered = query.order_by(alert.c.at, alert.c.threshold).limit(AT_ONCE)
        return list(c.execute(ordered).mappings())


def told(db: Database, site_id: str, rows: Iterable[Row], mark: Mark, now: datetime) -> None:
    """Mark them. One that was crossed anew meanwhile, under a higher limit, is told again."""
    own = [column for column in alert.primary_key.columns if column.name != "site_id"]
    with db.write() as c:
        for row in rows:
            same = [column == row[column.name] for column in (*own, alert.c.limit)]
            here = alert.update().where(alert.c.site_id == site_id, *same)
            c.execute(here.values({mark: now}))


def crossed(db: Database, site_id: str) -> list[Row]:
    """All thresholds of the site that were ever crossed, the oldest first."""
    query = sa.select(alert).where(alert.c.site_id == site_id)
    with db.read() as c:
        return list(c.execute(query.order_by(alert.c.at, alert.c.threshold)).mappings())
