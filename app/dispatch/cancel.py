"""Cancelling a task: what "agent stop" does, asked by Jira in a person's name."""

from __future__ import annotations

from typing import Any

from app.core.rights import holds
from app.core.run import RunRef
from app.ports import NotFound, Tracker
from app.store import runs, sites, tasks
from app.store.database import Database


def cancel(
    db: Database, tracker: Tracker, site_id: str, issue_id: str, delivery: int
) -> dict[str, Any]:
    """{"outcome": handled | ignored, "reason"}. The right is read live; a run that began after the
    wish is left alone."""
    wish = tasks.delivery(db, delivery)
    for row in runs.of_ticket(db, site_id, issue_id):
        if row["ended_at"] is not None or row["created_at"] > wish["received_at"]:
            continue
        if not _may(db, tracker, site_id, row["project_key"], wish["actor"]):
            return {"outcome": "ignored", "reason": "refused: cancel needs the right stop"}
        ref = RunRef(site_id, issue_id, row["key"], row["number"])
        runs.ask_stop(db, ref, wish["actor"], "its task in Jira was cancelled")
        return {"outcome": "handled", "reason": f"stop: run {row['number']}"}
    return {"outcome": "ignored", "reason": "no run is on"}


def _may(
    db: Database, tracker: Tracker, site_id: str, project_key: str, account_id: str | None
) -> bool:
    if not account_id:
        return False
    try:
        account = tracker.account(account_id)
    except NotFound:
        return False
    grants = sites.grants(db, site_id, project_key)
    roles = tracker.roles(project_key, account_id)
    return account.active and holds("stop", grants, account_id, roles)
