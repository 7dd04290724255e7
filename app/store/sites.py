"""Sites, projects and grants: what admins have set up."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from app.store.database import Database
from app.store.schema import grant, project, site

Row = sa.RowMapping
SITE_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
LEFT = sa.select(site.c.id).where(site.c.uninstalled_at.is_not(None))
"""Sites that have taken our access away: nothing there can be looked at or told."""


class Unknown(LookupError):
    """There is no such site or project. The message says how to add it."""


def add_site(db: Database, values: Mapping[str, Any]) -> None:
    """Insert the site, or replace what an admin may change of it."""
    with db.write() as c:
        insert = db.insert(site).values(**values)
        kept = {k: v for k, v in values.items() if k not in ("id", "connected_at")}
        c.execute(insert.on_conflict_do_update(index_elements=["id"], set_=kept))


def get_site(db: Database, site_id: str) -> Row:
    row = None
    if SITE_ID.fullmatch(site_id):
        with db.read() as c:
            row = c.execute(sa.select(site).where(site.c.id == site_id)).mappings().first()
    if row is None:
        raise Unknown(f"there is no site {site_id!r}: add it with `signalbox site add`")
    return row


def list_sites(db: Database) -> list[Row]:
    with db.read() as c:
        return list(c.execute(sa.select(site).order_by(site.c.id)).mappings())


def add_project(db: Database, values: Mapping[str, Any]) -> None:
    """Insert the project, or change it; the time of its connection stays."""
    with db.write() as c:
        known = sa.select(site.c.id).where(site.c.id == values["site_id"])
        if c.execute(known).first() is None:
            raise Unknown(f"there is no site {values['site_id']!r}: `signalbox site add` first")
        insert = db.insert(project).values(**values)
        kept = {k: v for k, v in values.items() if k not in ("site_id", "key", "connected_at")}
        c.execute(insert.on_conflict_do_update(index_elements=["site_id", "key"], set_=kept))


def get_project(db: Database, site_id: str, key: str) -> Row | None:
    query = sa.select(project).where(project.c.site_id == site_id, project.c.key == key)
    with db.read() as c:
        return c.execute(query).mappings().first()


def list_projects(db: Database, site_id: str | None = None) -> list[Row]:
    query = sa.select(project).order_by(project.c.site_id, project.c.key)
    if site_id is not None:
        query = query.where(project.c.site_id == site_id)
    with db.read() as c:
        return list(c.execute(query).mappings())


def set_paused(db: Database, site_id: str, key: str | None, paused_at: datetime | None) -> bool:
    """Pause (a time) or resume (None) a whole site, or one project. False where it is unknown."""
    change = sa.update(site).where(site.c.id == site_id)
    if key is not None:
        change = sa.update(project).where(project.c.site_id == site_id, project.c.key == key)
    with db.write() as c:
        return bool(c.execute(change.values(paused_at=paused_at)).rowcount)


def set_silent(db: Database, site_id: str, *, silent: bool) -> None:
    """Whether comments of the site can be edited without mail."""
    with db.write() as c:
        c.execute(sa.update(site).where(site.c.id == site_id).values(silent_edits=silent))


def add_grant(db: Database, values: Mapping[str, Any]) -> None:
    with db.write() as c:
        c.execute(db.insert(grant).values(**values).on_conflict_do_nothing())


def remove_grant(db: Database, values: Mapping[str, Any]) -> bool:
    same = [grant.c[name] == value for name, value in values.items()]
    with db.write() as c:
        return bool(c.execute(sa.delete(grant).where(*same)).rowcount)


def grants(db: Database, site_id: str, project_key: str | None = None) -> list[Mapping[str, Any]]:
    """Grants of the site; with a project, those that hold in it (its own and the site's)."""
    query = sa.select(grant).where(grant.c.site_id == site_id)
    if project_key is not None:
        query = query.where(grant.c.project_key.in_([project_key, "*"]))
    with db.read() as c:
        rows = c.execute(query.order_by(*grant.primary_key.columns)).mappings()
        return [dict(row) for row in rows]
