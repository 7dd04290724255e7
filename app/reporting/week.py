"""A project's week, on its operations ticket: once, on the first morning of the next one."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import structlog

from app.core.comments.digest import Digest, Standing, digest_comment
from app.core.periods import period_start
from app.ports import Refused, Tracker
from app.store import digests, sites, spending
from app.store.database import Database
from app.store.sites import Row

log = structlog.get_logger()
MORNING = timedelta(hours=8)
"""After midnight in the site's zone: nobody reads it earlier."""


def tell_week(db: Database, tracker: Tracker, site: Row, now: datetime) -> int:
    """Of the week that ended last; how many projects. Where that is cut off it is found again."""
    ends = period_start("week", now, site["zone"])
    if now < ends + MORNING:
        return 0
    begins = period_start("week", ends - timedelta(days=1), site["zone"])
    told = 0
    for project in sites.list_projects(db, site["id"]):
        place, key = project["operations_ticket"], project["key"]
        if not place or project["mode"] == "off" or project["connected_at"] >= ends:
            continue
        if digests.was_told(db, site["id"], key, begins):
            continue
        blocks = digest_comment(
            _digest(db, site, key, (begins, ends), now), costs=project["costs_in_comments"]
        )
        try:
            tracker.put_comment(place, f"week:{key}:{begins.isoformat()}", blocks)
            told += 1
        except Refused as fault:
            log.error("an operations ticket refuses", ticket=place, fault=str(fault))
        digests.told(db, site["id"], key, begins, now)
    return told


def _digest(
    db: Database, site: Row, key: str, days: tuple[datetime, datetime], now: datetime
) -> Digest:
    budgets = tuple(
        Standing(line.period, line.limit, line.posted, line.held)
        for line in spending.balances(db, site["id"], now)
        if (line.kind, line.subject) == ("project", key) and line.limit is not None
    )
    found = asdict(digests.numbers(db, site["id"], key, *days))
    zone = ZoneInfo(site["zone"])
    return Digest(
        project=key,
        begins=days[0],
        ends=days[1],
        budgets=budgets,
        currency=site["currency"],
        zone=zone,
        **found,
    )
