"""Who set the labels that ask for agents, and the storms that such labels make."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from app.core import storm
from app.store.database import Database
from app.store.schema import inbox, ticket


@dataclass(frozen=True, slots=True)
class Label:
    """The label of a ticket as it stands. `since`: when its project was connected; what was set
    before asks nobody for anything."""

    project_key: str
    by: str
    at: datetime
    since: datetime


@dataclass(frozen=True, slots=True)
class Notice:
    """A storm that admins are to be told of. at: its first label that was too many."""

    project_key: str
    by: str
    at: datetime


def note_label(
    db: Database, site_id: str, issue_id: str, label: Label | None, now: datetime
) -> None:
    """Write down who set the label when, and whether it was one too many at once. What was decided
    of a label stays. The first that was too many has a notice sent."""
    mine = sa.and_(ticket.c.site_id == site_id, ticket.c.issue_id == issue_id)
    with db.write() as c:
        if label is None:
            none = {"labelled_by": None, "labelled_at": None, "quiet": False}
            c.execute(ticket.update().where(mine).values(**none))
            return
        _take_turns(c, db, site_id, label)
        row = c.execute(sa.select(ticket).where(mine)).mappings().one()
        if (row["labelled_by"], row["labelled_at"]) == (label.by, label.at):
            return
        near = _near(c, site_id, issue_id, label)
        known = [at for at, _ in near]
        quiet = label.at >= label.since and storm.is_one_too_many(label.at, known)
        values = {"labelled_by": label.by, "labelled_at": label.at, "quiet": quiet}
        values["project_key"] = label.project_key
        c.execute(ticket.update().where(mine).values(**values))
        if quiet and not any(was_quiet for _, was_quiet in near):
            _put_notice(c, db, site_id, issue_id, label, now)


def notice(db: Database, seq: int) -> Notice:
    """What a delivery of our own says."""
    with db.read() as c:
        body = c.execute(sa.select(inbox.c.body).where(inbox.c.seq == seq)).scalar_one()
    told = json.loads(body)
    return Notice(**told | {"at": datetime.fromisoformat(told["at"])})


def _take_turns(c: Connection, db: Database, site_id: str, label: Label) -> None:
    """Two labels of one person are counted one after the other (on SQLite all writers are)."""
    if not db.sqlite:
        key = f"storm:{site_id}:{label.project_key}:{label.by}"
        c.execute(sa.text("select pg_advisory_xact_lock(hashtext(:k))"), {"k": key})


def _near(c: Connection, site_id: str, issue_id: str, label: Label) -> list[tuple[datetime, bool]]:
    """When the same person labelled other tickets of the project around that time, and whether
    those were too many."""
    query = sa.select(ticket.c.labelled_at, ticket.c.quiet).where(
        ticket.c.site_id == site_id,
        ticket.c.project_key == label.project_key,
        ticket.c.labelled_by == label.by,
        ticket.c.issue_id != issue_id,
        ticket.c.labelled_at >= max(label.at - storm.WINDOW, label.since),
        ticket.c.labelled_at <= label.at + storm.WINDOW,
    )
    return [(row[0], row[1]) for row in c.execute(query)]


def _put_notice(
    c: Connection, db: Database, site_id: str, issue_id: str, label: Label, now: datetime
) -> None:
    storm_id = f"storm:{label.project_key}:{label.by}:{label.at.isoformat()}"
    told = {"project_key": label.project_key, "by": label.by, "at": label.at.isoformat()}
    row = {
        "id": f"own-{site_id}-{storm_id}",
        "site_id": site_id,
        "ident": storm_id,
        "event": "signalbox:storm",
        "kind": "notice",
        "issue_id": issue_id,
        "body": json.dumps(told).encode(),
        "reason": "",
        "received_at": now,
    }
    c.execute(db.insert(inbox).values(**row).on_conflict_do_nothing())
