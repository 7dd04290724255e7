"""Budgets: which limit is set where, and what stands against it now."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import get_args

from app.admin.setup import Desk, Invalid, project_key
from app.core.periods import Period
from app.store import budgets, inbox, overrides, sites, spending, tickets

EVERY = "*"


@dataclass(frozen=True, slots=True)
class Level:
    """Where a limit applies. subject "*" = to each one that has none of its own; of a ticket it
    is the id that the ledger knows, and `ticket` its key. project: whose tickets may wait for it;
    None = those of the whole site."""

    kind: str
    subject: str
    project: str | None = None
    ticket: str | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """What an admin wants of a limit. period None = the usual one. amount None = no limit."""

    period: str | None
    amount: int | None
    actor: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Pass:
    """What an admin lets a limit be passed by: `amount`, and until when; one may be None."""

    period: str | None
    amount: int | None
    until: datetime | None
    actor: str
    reason: str


def level(desk: Desk, site_id: str, kind: str, subject: str | None) -> Level:
    """Raises Invalid, sites.Unknown, or what the tracker raises about a ticket or an account."""
    sites.get_site(desk.db, site_id)
    if kind == "site" or subject is None:
        return Level("site", site_id)
    if subject == EVERY:
        return Level(kind, EVERY)
    if kind == "ticket":
        found = desk.jira(site_id).ticket(subject.upper())
        return Level("ticket", found.id, found.project_key, found.key)
    if kind == "person":
        return Level("person", desk.jira(site_id).account(subject).id)
    if kind == "agent":
        return Level("agent", subject)
    key = project_key(subject)
    if sites.get_project(desk.db, site_id, key) is None:
        raise sites.Unknown(f"There is no project {key} in {site_id}: `signalbox project add`.")
    return Level("project", key, key)


def set_limit(desk: Desk, site_id: str, where: Level, wish: Wish) -> str:
    """Set the limit (None lifts it) and wake who waits for money. The period that was meant."""
    chosen = _period(where, wish.period)
    at = (site_id, where.kind, where.subject, chosen)
    currency = sites.get_site(desk.db, site_id)["currency"]
    said = {"reason": wish.reason, "currency": currency}
    budgets.set_limit(desk.db, *at, wish.amount, wish.actor, desk.now, **said)
    inbox.wake(desk.db, site_id, where.project, "budget", desk.now)
    return chosen


def raise_limit(desk: Desk, site_id: str, where: Level, wish: Wish) -> tuple[str, int]:
    """Add to the limit and wake who waits for money. The period that was meant; the new limit."""
    chosen = _period(where, wish.period)
    at = (site_id, where.kind, where.subject, chosen)
    by = wish.amount or 0
    now = budgets.raise_limit(desk.db, *at, by, wish.actor, desk.now, reason=wish.reason)
    inbox.wake(desk.db, site_id, where.project, "budget", desk.now)
    return chosen, now


def let_pass(desk: Desk, site_id: str, where: Level, wish: Pass) -> overrides.Override:
    """Grant an override and wake who waits for money. Raises InvalidBudget."""
    granted = overrides.grant(
        desk.db,
        site_id,
        key=secrets.token_hex(4),
        kind=where.kind,
        subject=where.subject,
        period=_period(where, wish.period),
        amount=wish.amount,
        until=wish.until,
        reason=wish.reason,
        actor=wish.actor,
        zone=sites.get_site(desk.db, site_id)["zone"],
        now=desk.now,
    )
    inbox.wake(desk.db, site_id, where.project, "budget", desk.now)
    return granted


def _period(where: Level, period: str | None) -> str:
    chosen = period or ("once" if where.kind == "ticket" else "month")
    if chosen not in get_args(Period):
        raise Invalid(f"{chosen!r} is no period: use {', '.join(get_args(Period))}.")
    return chosen


def lines(desk: Desk, site_id: str) -> list[spending.Balance | budgets.Limit]:
    """The budgets with what stands against them, then the limits that hold for each one without
    its own: nothing is spent under those themselves."""
    sites.get_site(desk.db, site_id)
    present: list[spending.Balance | budgets.Limit] = []
    present.extend(spending.balances(desk.db, site_id, desk.now))
    present.extend(row for row in budgets.limits(desk.db, site_id) if row.subject == EVERY)
    return present


def shown_subject(desk: Desk, site_id: str, kind: str, subject: str) -> str:
    """A ticket by its key where we have met it; all else by what the ledger calls it."""
    if kind != "ticket" or subject == EVERY:
        return subject
    row = tickets.get(desk.db, site_id, subject)
    return str(row["key"]) if row is not None and row["key"] else subject
