"""Whether the account that Signalbox works under may be somebody's own."""

from __future__ import annotations

from app.ports import Account

PERSONS = (
    "Its account is an ordinary one. If a person uses it too, what that person does in Jira, also "
    "a command in a comment, passes for Signalbox's own and is ignored."
)
ADVICE = "Give Signalbox an account that nobody else uses."


def warning(account: Account) -> str:
    """Empty for an app's account, and where Jira does not tell (Data Center). Jira gives people
    and most service accounts the same kind, so this can only be a warning."""
    return PERSONS if account.kind == "atlassian" else ""
