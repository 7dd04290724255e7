"""Who may do what in a project: grants to accounts or to Jira project roles, read live."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

GRANTABLE = ("dispatch", "approve", "admin")
IMPLIES: Mapping[str, frozenset[str]] = {
    "dispatch": frozenset({"dispatch", "stop"}),
    "approve": frozenset({"approve", "dispatch", "stop"}),
    "admin": frozenset({"admin", "approve", "dispatch", "stop"}),
}


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
