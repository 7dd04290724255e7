"""Scans of a backlog: how far each has come, and where each ticket stands. No text of a ticket."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import ColumnElement

from app.core.backlog import APART, GROUPS, Standing
from app.core.shards import Part
from app.store.database import Database
from app.store.schema_score import scan, scan_row

Row = sa.RowMapping
Judged = tuple[str, str, str, Standing]
"""Of one ticket: its id, key, project and standing."""


def begin(db: Database, values: dict[str, Any], parts: Sequence[Part]) -> Row:
    """A new scan. One of the same query that was broken off is forgotten."""
    kept = {**values, "id": secrets.token_hex(6), "parts": [part.kept() for part in parts]}
    site_id, jql = values["site_id"], values["jql"]
    same = (scan.c.site_id == site_id, scan.c.jql == jql, scan.c.ended_at.is_(None))
    with db.write() as c:
        for old in c.execute(sa.select(scan.c.id).where(*same)).scalars().all():
            _forget(c, site_id, old)
        c.execute(scan.insert().values(**kept))
        return c.execute(_one(site_id, kept["id"])).mappings().one()


def get(db: Database, site_id: str, scan_id: str) -> Row:
    with db.read() as c:
        return c.execute(_one(site_id, scan_id)).mappings().one()


def unfinished(db: Database, site_id: str, jql: str) -> Row | None:
    """The newest scan that was broken off; of this query, if there is one."""
    query = sa.select(scan).where(scan.c.site_id == site_id, scan.c.ended_at.is_(None))
    if jql:
        query = query.where(scan.c.jql == jql)
    with db.read() as c:
        return c.execute(query.order_by(scan.c.started_at.desc()).limit(1)).mappings().first()


def newest(db: Database, site_id: str, project_key: str) -> Row | None:
    """The newest scan that was of the project, or has seen tickets of it."""
    seen = sa.exists().where(
        scan_row.c.site_id == site_id,
        scan_row.c.scan_id == scan.c.id,
        scan_row.c.project_key == project_key,
    )
    query = sa.select(scan).where(
        scan.c.site_id == site_id, sa.or_(scan.c.project_key == project_key, seen)
    )
    with db.read() as c:
        return c.execute(query.order_by(scan.c.started_at.desc()).limit(1)).mappings().first()


def record(db: Database, row: Row, found: Sequence[Judged], parts: Sequence[Part]) -> None:
    """Tickets that were judged and how far the scan has come by them, together. One that is there
    already is told anew."""
    key = {"site_id": row["site_id"], "scan_id": row["id"]}
    lines = {
        issue_id: {**key, "issue_id": issue_id, "key": name, "project_key": project}
        | asdict(standing)
        for issue_id, name, project, standing in found
    }
    with db.write() as c:
        if lines:
            insert = db.insert(scan_row).values(list(lines.values()))
            names = [column.name for column in scan_row.c if not column.primary_key]
            newer = {name: insert.excluded[name] for name in names}
            c.execute(insert.on_conflict_do_update(index_elements=scan_row.primary_key, set_=newer))
        mine = sa.and_(scan.c.site_id == row["site_id"], scan.c.id == row["id"])
        c.execute(scan.update().where(mine).values(parts=[part.kept() for part in parts]))


def finish(db: Database, row: Row, now: datetime) -> None:
    """All was read. An earlier scan of the same query is worth nothing any more."""
    site_id = row["site_id"]
    same = (scan.c.site_id == site_id, scan.c.jql == row["jql"], scan.c.id != row["id"])
    with db.write() as c:
        for old in c.execute(sa.select(scan.c.id).where(*same)).scalars().all():
            _forget(c, site_id, old)
        mine = sa.and_(scan.c.site_id == site_id, scan.c.id == row["id"])
        c.execute(scan.update().where(mine).values(ended_at=now))


def counts(db: Database, row: Row, project_key: str = "") -> dict[str, int]:
    """Tickets by group, each group named; "apart" among them."""
    query = sa.select(scan_row.c.group, sa.func.count()).where(*_of(row, project_key))
    with db.read() as c:
        found = {name: int(many) for name, many in c.execute(query.group_by(scan_row.c.group))}
    return {name: found.get(name, 0) for name in (*GROUPS, APART)}


def ranked(
    db: Database, row: Row, group: str, most: int | None = None, project_key: str = ""
) -> list[Row]:
    """Tickets of a group in the order of core.backlog.place."""
    query = sa.select(scan_row).where(*_of(row, project_key), scan_row.c.group == group)
    asked = [] if group == "ready" else [scan_row.c.questions]
    order = [scan_row.c.score.is_(None), *asked, sa.func.coalesce(scan_row.c.score, 0).desc()]
    query = query.order_by(*order, sa.func.length(scan_row.c.issue_id), scan_row.c.issue_id)
    with db.read() as c:
        return list(c.execute(query.limit(most)).mappings())


def _one(site_id: str, scan_id: str) -> sa.Select[Any]:
    return sa.select(scan).where(scan.c.site_id == site_id, scan.c.id == scan_id)


def _of(row: Row, project_key: str) -> list[ColumnElement[bool]]:
    mine = [scan_row.c.site_id == row["site_id"], scan_row.c.scan_id == row["id"]]
    return [*mine, scan_row.c.project_key == project_key] if project_key else mine


def _forget(c: sa.Connection, site_id: str, scan_id: str) -> None:
    rows = sa.and_(scan_row.c.site_id == site_id, scan_row.c.scan_id == scan_id)
    c.execute(scan_row.delete().where(rows))
    c.execute(scan.delete().where(scan.c.site_id == site_id, scan.c.id == scan_id))
