"""One row in every table of a site, made from the columns: a new table comes along by itself."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from app.store.database import Database
from app.store.schema import Moment, metadata, site

AT = datetime(2026, 11, 1, tzinfo=UTC)
TABLES = [table for table in metadata.sorted_tables if "site_id" in table.c]


def fill(db: Database, site_id: str, **given: Any) -> None:
    """The site and a row of it in each table. given: by column name, wherever there is such."""
    with db.write() as c:
        known = c.execute(sa.select(site.c.id).where(site.c.id == site_id)).first()
        if known is None:
            c.execute(site.insert().values(_row(site, site_id, given) | {"id": site_id}))
        for table in TABLES:
            c.execute(table.insert().values(_row(table, site_id, given)))


def _row(table: sa.Table, site_id: str, given: dict[str, Any]) -> dict[str, Any]:
    values = {}
    for column in table.c:
        if column.name == "seq":
            continue
        values[column.name] = _value(column, site_id)
    chosen = {name: value for name, value in given.items() if name in table.c}
    return values | chosen | ({"site_id": site_id} if "site_id" in table.c else {})


def _value(column: sa.Column[Any], site_id: str) -> Any:
    if column.unique:  # of the whole installation
        return f"{site_id}'s {column.name}"
    if isinstance(column.type, Moment):
        return AT
    if isinstance(column.type, sa.Boolean):
        return False
    if isinstance(column.type, sa.Integer):
        return 1
    if isinstance(column.type, sa.JSON):
        return {}
    if isinstance(column.type, sa.LargeBinary):
        return b"{}"
    return "1"


def count(db: Database, site_id: str) -> dict[str, int]:
    """Rows of the site by table."""
    with db.read() as c:
        found = {
            table.name: c.execute(
                sa.select(sa.func.count()).select_from(table).where(table.c.site_id == site_id)
            ).scalar_one()
            for table in TABLES
        }
        mine = sa.select(sa.func.count()).select_from(site).where(site.c.id == site_id)
        return found | {"site": c.execute(mine).scalar_one()}
