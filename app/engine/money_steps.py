"""The steps of the sweeps that tell of money: each is safe to repeat, and what could not be told is
told the next time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import structlog
from dbos import DBOS

from app.engine.binding import agent_of, find_run, parts, tracker_of
from app.ports import PortError, Tracker
from app.reporting import budget, week
from app.reporting.left import running_low
from app.reporting.report import report
from app.store import runs, sites
from app.store.database import Database
from app.store.sites import Row

log = structlog.get_logger()


@DBOS.step()
def tell_left() -> int:
    """Runs whose money is nearly used; how many comments say so now."""
    db, told = parts().db, 0
    for low in running_low(db):
        try:
            ref, row, project = find_run(low.ref.site_id, low.ref.issue_id, low.ref.number)
            site, tracker = tracker_of(ref.site_id)
            report(db, tracker, site, project, agent_of(row), ref)
        except PortError as fault:
            log.warning("the run comment is behind", run=low.ref.workflow_id, fault=str(fault))
            continue
        runs.warned(db, ref, low.attempt, low.held)
        told += 1
    return told


@DBOS.step()
def tell_alerts() -> int:
    """Budgets that fill up, on the operations tickets."""
    return sum(_at_site(site_id, budget.tell_alerts) for site_id in _sites())


@DBOS.step()
def send_alerts() -> int:
    """The same to the webhook, which needs no Jira."""
    db, now, sent = parts().db, parts().clock.now(), 0
    for site_id in _sites():
        try:
            site = sites.get_site(db, site_id)
            sent += budget.send_alerts(db, parts().notifier, site, now)
        except PortError as fault:
            log.warning("an alert was not sent", site=site_id, fault=str(fault))
    return sent


@DBOS.step()
def tell_week() -> int:
    """Weeks that have ended."""
    return sum(_at_site(site_id, week.tell_week) for site_id in _sites())


def _sites() -> list[str]:
    return [row["id"] for row in sites.list_sites(parts().db) if row["uninstalled_at"] is None]


def _at_site(site_id: str, tell: Callable[[Database, Tracker, Row, datetime], int]) -> int:
    """A site that cannot be told holds up no other."""
    try:
        site, tracker = tracker_of(site_id)
        return tell(parts().db, tracker, site, parts().clock.now())
    except PortError as fault:
        log.warning("money was not told of", site=site_id, fault=str(fault))
        return 0
