"""Who may do what in a project: grants to accounts or to Jira project roles, read live; and which
tickets are nobody's to touch here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from app.core.ticket import Ticket

GRANTABLE = ("dispatch", "approve", "budget", "admin")
IMPLIES: Mapping[str, frozenset[str]] = {
    "dispatch": frozenset({"dispatch", "stop"}),
    "approve": frozenset({"approve", "dispatch", "stop"}),
    "budget": frozenset({"budget"}),
    "admin": frozenset({"admin", "approve", "budget", "dispatch", "stop"}),
}
SWITCHES = {"security level": "restricted_tickets", "service desk": "service_desk"}
"""By what keeps a ticket apart: the project's switch that lets such tickets in."""


def holds(
    right: str, grants: Iterable[Mapping[str, Any]], account_id: str, jira_roles: frozenset[str]
) -> bool:
    """Whether the account has the right, itself or by a Jira project role. "read" is everyone's.

    grants: rows with `right`, `kind` (account | jira_role) and `subject`.
    """
    if right == "read":
        return True
    return any(
        right in IMPLIES[row["right"]]
        and (
            (row["kind"] == "account" and row["subject"] == account_id)
            or (row["kind"] == "jira_role" and row["subject"] in jira_roles)
        )
        for row in grants
    )


def roles_with(right: str, grants: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """Jira roles that have the right, so that people know whom to ask; accounts are not named, as
    that would notify nobody."""
    able = (row for row in grants if row["kind"] == "jira_role" and right in IMPLIES[row["right"]])
    return tuple(sorted({str(row["subject"]) for row in able}))


def left_alone(ticket: Ticket, project: Mapping[Any, Any]) -> str:
    """What keeps us away from the ticket, as the project is set up; empty = nothing. Something
    that no switch is known for does."""
    apart = [why for why in ticket.restricted.split(", ") if why]
    kept = (why for why in apart if why not in SWITCHES or not project[SWITCHES[why]])
    return ", ".join(kept)
