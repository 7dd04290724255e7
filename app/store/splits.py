"""Tickets that were made from one by "agent split"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from app.store.database import Database
from app.store.schema_score import split_up


def record(db: Database, values: Mapping[str, Any]) -> None:
    """What stands in Jira is the truth, so the newest look at it holds."""
    insert = db.insert(split_up).values(**values)
    key = [column.name for column in split_up.primary_key.columns]
    with db.write() as c:
        c.execute(insert.on_conflict_do_update(index_elements=key, set_=dict(values)))


def made(db: Database, site_id: str, issue_id: str) -> tuple[str, ...]:
    """Keys of the tickets, in the order of the parts."""
    mine = sa.and_(split_up.c.site_id == site_id, split_up.c.issue_id == issue_id)
    with db.read() as c:
        keys = c.execute(sa.select(split_up.c["keys"]).where(mine)).scalar()
    return tuple(keys or ())
