"""Sites that Jira connects by itself: a Connect or Forge app is installed, and brings its
credential along."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from app.store.database import Database
from app.store.schema import project, run, site
from app.store.sites import Row

IDENTITY = {"connect": site.c.client_key, "forge": site.c.cloud_id}
UNINSTALLED = "Signalbox was uninstalled from this Jira"


@dataclass(frozen=True, slots=True)
class Install:
    """What an install call tells. identity: the client key or the cloud id. token: sealed, ""
    where none came along. name: what the site is called here, if that is free."""

    connection: Literal["connect", "forge"]
    identity: str
    api_url: str
    browse_url: str
    token: str
    name: str
    token_expires_at: datetime | None = None


class Moved(Exception):
    """The site is known under another address."""


def install(db: Database, new: Install, now: datetime) -> Row:
    """Make the site, or bring it back with its new credential. Raises Moved, and changes nothing.

    It counts as connected from now on: what was labelled before must not start anything.
    """
    same = sa.select(site).where(IDENTITY[new.connection] == new.identity)
    with db.write() as c:
        row, made = None, False
        for number in count(1):  # until the name is not another site's
            made = _insert(c, db, new, _named(new.name, number), now)
            row = c.execute(same).mappings().first()
            if row is not None:
                break
        if row is not None and not made:
            if row["api_url"] != new.api_url:
                raise Moved(f"known at {row['api_url']}")
            _revive(c, row["id"], new, now)
        return c.execute(same).mappings().one()


def _named(name: str, number: int) -> str:
    slug = re.sub("[^a-z0-9-]+", "-", name.lower()).strip("-")[:50] or "jira"
    return slug if number == 1 else f"{slug}-{number}"


def _insert(c: Connection, db: Database, new: Install, name: str, now: datetime) -> bool:
    values = {
        "id": name,
        "connection": new.connection,
        "deployment": "cloud",
        "api_url": new.api_url,
        "browse_url": new.browse_url,
        "token": new.token,
        "token_expires_at": new.token_expires_at,
        IDENTITY[new.connection].name: new.identity,
        "account_id": "",
        "label": "agent-ready",
        "zone": "UTC",
        "currency": "USD",
        "connected_at": now,
    }
    return bool(c.execute(db.insert(site).values(**values).on_conflict_do_nothing()).rowcount)


def _revive(c: Connection, site_id: str, new: Install, now: datetime) -> None:
    values = {
        "token": new.token,
        "token_expires_at": new.token_expires_at,
        "account_id": "",  # asked for again with the new credential
        "connected_at": now,
        "polled_at": None,
        "uninstalled_at": None,
    }
    c.execute(site.update().where(site.c.id == site_id).values(**values))
    c.execute(project.update().where(project.c.site_id == site_id).values(connected_at=now))


def uninstall(db: Database, site_id: str, now: datetime) -> int:
    """Drop the credential, close the site's doors and ask its runs to stop. How many are on."""
    active = sa.and_(run.c.site_id == site_id, run.c.ended_at.is_(None))
    wish = {"stop_by": "", "stop_why": UNINSTALLED}
    with db.write() as c:
        gone = sa.and_(site.c.id == site_id, site.c.uninstalled_at.is_(None))
        values = {"token": "", "token_expires_at": None, "uninstalled_at": now}
        c.execute(site.update().where(gone).values(**values))
        c.execute(run.update().where(active, run.c.stop_why.is_(None)).values(**wish))
        return int(
            c.execute(sa.select(sa.func.count()).select_from(run).where(active)).scalar_one()
        )


def by_identity(db: Database, connection: Literal["connect", "forge"], identity: str) -> Row | None:
    """The site of this client key or cloud id, whether it is still installed or not."""
    same = sa.and_(site.c.connection == connection, IDENTITY[connection] == identity)
    with db.read() as c:
        return c.execute(sa.select(site).where(same)).mappings().first()


def keep_token(db: Database, site_id: str, sealed: str, expires_at: datetime) -> bool:
    """Keep a credential that is good for longer than the one that we have. Was it?"""
    older = sa.or_(site.c.token_expires_at.is_(None), site.c.token_expires_at < expires_at)
    mine = sa.and_(site.c.id == site_id, site.c.uninstalled_at.is_(None), older)
    values = {"token": sealed, "token_expires_at": expires_at}
    with db.write() as c:
        return bool(c.execute(site.update().where(mine).values(**values)).rowcount)


def learn_account(db: Database, site_id: str, account_id: str) -> None:
    """Which account we are there. The first answer counts."""
    unknown = sa.and_(site.c.id == site_id, site.c.account_id == "")
    with db.write() as c:
        c.execute(site.update().where(unknown).values(account_id=account_id))


def learn_address(db: Database, site_id: str, browse_url: str) -> None:
    """Where people open this Jira, unless that is known already."""
    unknown = sa.and_(site.c.id == site_id, site.c.browse_url == site.c.api_url)
    with db.write() as c:
        c.execute(site.update().where(unknown).values(browse_url=browse_url))
