"""Budgets: which limit is set where, and what stands against it now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

from app.admin.setup import Desk, Invalid, project_key
from app.core.periods import Period
from app.store import budgets, inbox, sites, spending, tickets

EVERY = "*"


@dataclass(frozen=True, slots=True)
class Level:
    """Where a limit applies. Neither project nor ticket: to the site. "*" = to each one that has
    none of its own. ticket is the key, issue_id what the ledger calls it."""

    kind: str
    subject: str
    project: str | None = None
    ticket: str | None = None


def level(desk: Desk, site_id: str, project: str | None, ticket: str | None) -> Level:
    """Raises Invalid, sites.Unknown, or what the tracker raises about a ticket."""
    sites.get_site(desk.db, site_id)
    if ticket == EVERY:
        return Level("ticket", EVERY)
    if ticket is not None:
        found = desk.jira(site_id).ticket(ticket.upper())
        return Level("ticket", found.id, found.project_key, found.key)
    if project is None:
        return Level("site", site_id)
    if project == EVERY:
        return Level("project", EVERY)
    key = project_key(project)
    if sites.get_project(desk.db, site_id, key) is None:
        raise sites.Unknown(f"There is no project {key} in {site_id}: `signalbox project add`.")
    return Level("project", key, key)


def set_limit(
    desk: Desk, site_id: str, where: Level, period: str | None, limit: int | None, actor: str
) -> str:
    """Set the limit (None lifts it) and wake who waits for money. The period that was meant."""
    chosen = period or ("once" if where.kind == "ticket" else "month")
    if chosen not in get_args(Period):
        raise Invalid(f"{chosen!r} is no period: use {', '.join(get_args(Period))}.")
    budgets.set_limit(desk.db, site_id, where.kind, where.subject, chosen, limit, actor, desk.now)
    inbox.wake(desk.db, site_id, where.project, "budget", desk.now)
    return chosen


def lines(desk: Desk, site_id: str) -> list[spending.Balance | budgets.Limit]:
    """The budgets with what stands against them, then the limits that hold for each one without
    its own: nothing is spent under those themselves."""
    sites.get_site(desk.db, site_id)
    present: list[spending.Balance | budgets.Limit] = []
    present.extend(spending.balances(desk.db, site_id, desk.now))
    present.extend(row for row in budgets.limits(desk.db, site_id) if row.subject == EVERY)
    return present


def ticket_key(desk: Desk, site_id: str, issue_id: str) -> str:
    """The ticket's key where we have met it, else its id."""
    row = tickets.get(desk.db, site_id, issue_id)
    return str(row["key"]) if row is not None and row["key"] else issue_id
