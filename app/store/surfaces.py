"""What the pages in Jira read: a project's tickets by group, its live runs, what is asked for."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import ColumnElement

from app.store.database import Database
from app.store.inbox import PRESS
from app.store.schema import inbox, project, run, site, ticket
from app.store.schema_money import hold
from app.store.schema_score import scan

Row = sa.RowMapping


def _group(connected: datetime) -> ColumnElement[str]:
    """In which list of the project page a ticket stands; the first that fits."""
    older = sa.or_(
        ticket.c.labelled_at < connected,
        sa.cast(ticket.c.decision, sa.Text).contains('"label_older"'),
    )
    return sa.case(
        (older, "old"),
        (ticket.c.quiet.is_(True), "quiet"),
        (ticket.c.verdict.is_not(None), ticket.c.verdict),
        else_="unjudged",
    )


def _of(site_id: str, project_key: str) -> ColumnElement[bool]:
    return sa.and_(
        ticket.c.site_id == site_id, ticket.c.project_key == project_key, ticket.c.key.is_not(None)
    )


def counts(db: Database, row: Row) -> dict[str, int]:
    """Tickets of the project `row` by group."""
    group = _group(row["connected_at"])
    query = sa.select(group, sa.func.count()).where(_of(row["site_id"], row["key"])).group_by(group)
    with db.read() as c:
        return {str(name): int(number) for name, number in c.execute(query)}


def listed(db: Database, row: Row, group: str, skip: int, most: int) -> list[Row]:
    """Tickets of one group, those that were judged last first."""
    query = sa.select(ticket).where(_of(row["site_id"], row["key"]))
    query = query.where(_group(row["connected_at"]) == group)
    query = query.order_by(ticket.c.assessed_at.desc(), ticket.c.issue_id)
    with db.read() as c:
        return list(c.execute(query.offset(skip).limit(most)).mappings())


def known(db: Database, row: Row) -> set[str]:
    """Ids of the project's tickets that stand in another group than that of old labels."""
    query = sa.select(ticket.c.issue_id).where(_of(row["site_id"], row["key"]))
    query = query.where(_group(row["connected_at"]) != "old")
    with db.read() as c:
        return set(c.execute(query).scalars())


def live_runs(db: Database, site_id: str, project_key: str) -> list[Row]:
    """Runs that are on, the oldest first."""
    query = sa.select(run).where(run.c.site_id == site_id, run.c.project_key == project_key)
    query = query.where(run.c.ended_at.is_(None)).order_by(run.c.created_at)
    with db.read() as c:
        return list(c.execute(query).mappings())


def simulated(db: Database, site_id: str, **of: str) -> bool | None:
    """Whether all money of the project or ticket is play money; None = some of it is."""
    query = sa.select(hold.c.simulated).distinct().where(hold.c.site_id == site_id)
    for name, value in of.items():
        query = query.where(hold.c[name] == value)
    with db.read() as c:
        found = set(c.execute(query).scalars())
    return None if len(found) == 2 else found == {True}


def asked(db: Database, site_id: str, subject: str, since: datetime) -> list[Row]:
    """Buttons pressed on the ticket or the project that are not obeyed yet, or were since."""
    query = sa.select(inbox.c.event, inbox.c.received_at, inbox.c.outcome, inbox.c.reason).where(
        inbox.c.site_id == site_id,
        inbox.c.issue_id == subject,
        inbox.c.event.startswith(PRESS),
        sa.or_(inbox.c.outcome.is_(None), inbox.c.received_at > since),
    )
    with db.read() as c:
        return list(c.execute(query.order_by(inbox.c.seq)).mappings())


def mark(db: Database, site_id: str, project_key: str, issue_id: str | None) -> str:
    """Changes whenever something changes that a page of the ticket, or else of its project,
    shows: so that a page that ticks asks Jira for nothing as long as nothing happens."""
    rows: list[tuple[Any, ...]] = []
    of_run = [run.c.site_id == site_id, run.c.project_key == project_key]
    of_ticket = [ticket.c.site_id == site_id, ticket.c.project_key == project_key]
    of_inbox = [inbox.c.site_id == site_id, inbox.c.event.startswith(PRESS)]
    if issue_id is not None:
        of_run.append(run.c.issue_id == issue_id)
        of_ticket.append(ticket.c.issue_id == issue_id)
        of_inbox.append(inbox.c.issue_id == issue_id)
    top = sa.func.max
    with db.read() as c:
        rows += c.execute(sa.select(site.c.paused_at, site.c.uninstalled_at).where(_site(site_id)))
        same = (project.c.site_id == site_id, project.c.key == project_key)
        rows += c.execute(sa.select(project.c.paused_at, project.c.mode).where(*same))
        rows += c.execute(_stamp(ticket, top(ticket.c.assessed_at), *of_ticket))
        rows += c.execute(_stamp(ticket, sa.func.sum(ticket.c.gen + ticket.c.taken), *of_ticket))
        rows += c.execute(_stamp(run, top(run.c.sign_at), *of_run))
        rows += c.execute(_stamp(run, sa.func.count(run.c.ended_at), *of_run))
        rows += c.execute(_stamp(run, sa.func.count(run.c.stop_why), *of_run))
        rows += c.execute(_stamp(inbox, sa.func.count(inbox.c.outcome), *of_inbox))
        if issue_id is None:
            rows += c.execute(_stamp(scan, top(scan.c.started_at), scan.c.site_id == site_id))
            rows += c.execute(_stamp(scan, top(scan.c.ended_at), scan.c.site_id == site_id))
    return hashlib.sha256(repr([tuple(map(str, row)) for row in rows]).encode()).hexdigest()[:16]


def _site(site_id: str) -> ColumnElement[bool]:
    return site.c.id == site_id


def _stamp(
    table: sa.Table, newest: ColumnElement[Any], *where: ColumnElement[bool]
) -> sa.Select[Any]:
    return sa.select(sa.func.count(), newest).select_from(table).where(*where)
