"""Secrets at rest, for when the key that seals them is replaced."""

from __future__ import annotations

import sqlalchemy as sa

from app.store.database import Database
from app.store.schema import site

SEALED = ("token", "webhook_secret")
"""Columns of a site that hold sealed text, or nothing."""


def replace(db: Database, site_id: str, column: str, old: str, new: str) -> bool:
    """Keep `new` where `old` is still kept: a secret that was changed meanwhile is newer."""
    same = sa.and_(site.c.id == site_id, site.c[column] == old)
    with db.write() as c:
        return bool(c.execute(site.update().where(same).values({column: new})).rowcount)
