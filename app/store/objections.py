"""Which questions stood in a ticket's comment, and which of them people called wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from app.core.objections import Objection, Precision, precision
from app.store.database import Database
from app.store.schema_score import objection, shown

Row = sa.RowMapping


def show(db: Database, values: Mapping[str, Any]) -> None:
    """These questions stand in the comment from then on. A repeat does no harm."""
    key = [column.name for column in shown.primary_key.columns]
    insert = db.insert(shown).values(**values)
    with db.write() as c:
        c.execute(insert.on_conflict_do_update(index_elements=key, set_=dict(values)))


def as_shown(db: Database, site_id: str, issue_id: str, at: datetime | None = None) -> Row | None:
    """The questions as they stood at that time; None = as they stand."""
    mine = sa.and_(shown.c.site_id == site_id, shown.c.issue_id == issue_id)
    query = sa.select(shown).where(mine).order_by(shown.c.shown_at.desc()).limit(1)
    with db.read() as c:
        if at is not None:
            query = query.where(shown.c.shown_at <= at)
        return c.execute(query).mappings().first()


def make(db: Database, values: Mapping[str, Any]) -> None:
    """Said again by somebody with a role it weighs more; it never weighs less again."""
    key = [column.name for column in objection.primary_key.columns]
    more = {name: value for name, value in values.items() if name not in key}
    insert = db.insert(objection).values(**values)
    with db.write() as c:
        c.execute(
            insert.on_conflict_do_update(
                index_elements=key,
                set_=more,
                where=sa.and_(
                    objection.c.role_holder.is_(False), insert.excluded.role_holder.is_(True)
                ),
            )
        )


def held(db: Database, site_id: str, issue_id: str, spec_hash: str) -> tuple[Objection, ...]:
    """All that people have objected to in the ticket, as it weighs for this text."""
    mine = sa.and_(objection.c.site_id == site_id, objection.c.issue_id == issue_id)
    query = sa.select(objection).where(mine)
    with db.read() as c:
        rows = c.execute(query.order_by(objection.c.made_at)).mappings().all()
    return tuple(
        Objection(
            row["criterion"], row["mark"], row["role_holder"] and row["spec_hash"] == spec_hash
        )
        for row in rows
    )


def counts(db: Database, site_id: str) -> tuple[Precision, ...]:
    """How often each rule was right there, as far as people have said."""
    lists = sa.select(shown.c.issue_id, shown.c.rubric, shown.c.findings)
    said = sa.select(objection).where(objection.c.site_id == site_id)
    with db.read() as c:
        told = {
            (rubric, criterion, issue_id, mark)
            for issue_id, rubric, findings in c.execute(lists.where(shown.c.site_id == site_id))
            for criterion, mark in findings
        }
        rows = c.execute(said).mappings().all()
    return precision(_by_rule(told), _by_rule(_named(rows)), _by_rule(_named(rows, True)))


Named = set[tuple[str, str, str, str]]


def _named(rows: Sequence[Row], of_role: bool = False) -> Named:
    return {
        (row["rubric"], row["criterion"], row["issue_id"], row["mark"])
        for row in rows
        if row["role_holder"] or not of_role
    }


def _by_rule(named: Named) -> Counter[tuple[str, str]]:
    """Each finding of a ticket once, however often it was told or said."""
    return Counter((rubric, criterion) for rubric, criterion, _, _ in named)
