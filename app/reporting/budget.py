"""Budgets that fill up: each threshold is told once, on operations tickets and to the webhook.

What was told is marked after it was told. A ticket's comment is found again by its key, so a crash
in between writes none twice; the webhook may hear of the same twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import structlog

from app.core.comments.budget import (
    BudgetAlert,
    budget_alert,
    budget_alert_outside,
    worth_telling,
)
from app.core.periods import period_end
from app.core.plain import render
from app.ports import Notifier, Refused, Tracker
from app.store import alerts, sites, tickets
from app.store.database import Database
from app.store.sites import Row

log = structlog.get_logger()
Budget = tuple[str, str, str, datetime]  # kind, subject, period, starts


def tell_alerts(db: Database, tracker: Tracker, site: Row, now: datetime) -> int:
    """On the operations tickets of the projects that it is about; how many budgets. A ticket that
    refuses is passed over: the alert stands on our pages too."""
    told = 0
    for rows in _by_budget(alerts.untold(db, site["id"], "told_at")):
        row = _loudest(rows)
        if row is not None:
            for place, costs in _places(db, site, row).items():
                blocks = budget_alert(_alert(db, site, row), costs=costs)
                try:
                    tracker.put_comment(place, _key(row), blocks)
                except Refused as fault:
                    log.error("an operations ticket refuses", ticket=place, fault=str(fault))
            told += 1
        alerts.told(db, site["id"], rows, "told_at", now)
    return told


def send_alerts(db: Database, notifier: Notifier | None, site: Row, now: datetime) -> int:
    """To the webhook. Without one they are marked too: whoever sets one up later is told of what
    happens from then on."""
    sent = 0
    for rows in _by_budget(alerts.untold(db, site["id"], "sent_at")):
        row = _loudest(rows)
        if row is not None and notifier is not None:
            text = render(budget_alert_outside(_alert(db, site, row)))
            try:
                notifier.notify(f"Signalbox, site {site['id']}\n{text}")
                sent += 1
            except Refused as fault:
                log.error("an alert was not sent", site=site["id"], fault=str(fault))
        alerts.told(db, site["id"], rows, "sent_at", now)
    return sent


def _by_budget(rows: Iterable[Row]) -> list[list[Row]]:
    found: dict[Budget, list[Row]] = {}
    for row in rows:
        key = (row["kind"], row["subject"], row["period"], row["starts"])
        found.setdefault(key, []).append(row)
    return list(found.values())


def _loudest(rows: Sequence[Row]) -> Row | None:
    """Where several were crossed at once, the highest says it all; spent says more than set
    aside."""
    worth = [row for row in rows if worth_telling(row["kind"], row["basis"])]
    return max(worth, key=lambda row: (row["threshold"], row["basis"] == "spent"), default=None)


def _key(row: Row) -> str:
    """By which the comment is found again: one for each threshold, period and limit."""
    of = (row["kind"], row["subject"], row["period"], row["starts"].date().isoformat())
    return ":".join(("alert", *of, row["basis"], str(row["threshold"]), str(row["limit"])))


def _places(db: Database, site: Row, row: Row) -> Mapping[str, bool]:
    """The operations tickets, and whether amounts may be named there: not where one of the
    projects that share it keeps them out of comments."""
    about = {"project": row["subject"], "ticket": _project_of(db, site, row)}.get(row["kind"])
    found: dict[str, bool] = {}
    for project in sites.list_projects(db, site["id"]):
        place = project["operations_ticket"]
        if place and about in (None, project["key"]):
            found[place] = found.get(place, True) and bool(project["costs_in_comments"])
    return found


def _project_of(db: Database, site: Row, row: Row) -> str | None:
    """None where it is not known: then all are told."""
    known = tickets.get(db, site["id"], row["subject"]) if row["kind"] == "ticket" else None
    return None if known is None else known["project_key"]


def _alert(db: Database, site: Row, row: Row) -> BudgetAlert:
    name = row["subject"]
    if row["kind"] == "ticket":
        known = tickets.get(db, site["id"], name)
        name = str(known["key"]) if known is not None and known["key"] else name
    return BudgetAlert(
        kind=row["kind"],
        name=name,
        period=row["period"],
        starts=row["starts"],
        resets_at=period_end(row["period"], row["starts"], site["zone"]),
        threshold=row["threshold"],
        basis=row["basis"],
        limit=row["limit"],
        posted=row["posted"],
        held=row["held"],
        currency=site["currency"],
        zone=ZoneInfo(site["zone"]),
    )
