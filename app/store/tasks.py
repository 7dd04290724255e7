"""Tasks of the agent connector: a delivery, and what became of its ticket. Nothing else is kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from app.store.database import Database
from app.store.schema import inbox, run, ticket

Row = sa.RowMapping
MARK = "a2a:"
"""How the events of these deliveries begin."""


@dataclass(frozen=True, slots=True)
class Found:
    """What is known of a task, read in one go."""

    delivery: Row
    ticket: Row | None
    runs: tuple[Row, ...]


def find(db: Database, site_id: str, task_id: str) -> Found | None:
    """None: this site has no such task."""
    mine = sa.and_(inbox.c.site_id == site_id, inbox.c.id == task_id)
    asked = sa.and_(mine, inbox.c.event.startswith(MARK), inbox.c.kind != "cancel")
    with db.read() as c:
        told = c.execute(sa.select(inbox).where(asked)).mappings().first()
        if told is None:
            return None
        key = {"site_id": site_id, "issue_id": told["issue_id"]}
        seen = c.execute(_of(ticket, key)).mappings().first()
        runs = c.execute(_of(run, key).order_by(run.c.number)).mappings().all()
    return Found(told, seen, tuple(runs))


def _of(table: sa.Table, key: dict[str, Any]) -> sa.Select[Any]:
    return sa.select(table).where(*(table.c[name] == value for name, value in key.items()))


def delivery(db: Database, seq: int) -> Row:
    with db.read() as c:
        return c.execute(sa.select(inbox).where(inbox.c.seq == seq)).mappings().one()


def heard(db: Database, seq: int, comment_id: str) -> None:
    """The comment that a mention meant: now it is obeyed like any other."""
    values = {"comment_id": comment_id, "kind": "comment", "relayed_at": None, "workflow_id": None}
    unknown = sa.and_(inbox.c.seq == seq, inbox.c.comment_id.is_(None))
    with db.write() as c:
        c.execute(inbox.update().where(unknown).values(**values))
