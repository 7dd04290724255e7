"""When people are told that a token of theirs is about to end."""

from __future__ import annotations

from datetime import datetime, timedelta

WARNINGS = (1, 7, 30)
"""Days before the end."""


def warning(ends: datetime | None, now: datetime) -> int | None:
    """The smallest of the warnings' days within which the token ends; 0 when it has ended; None
    while there is time, or where the end is not known."""
    if ends is None:
        return None
    left = ends - now
    if left <= timedelta(0):
        return 0
    return next((days for days in WARNINGS if left <= timedelta(days=days)), None)


def sentence(ends: datetime, now: datetime) -> str:
    """For a person: when it ends, and what will happen then."""
    left = ends - now
    if left <= timedelta(0):
        return f"The token for Jira ended on {ends:%-d %b %Y}: nothing is read or said any more."
    days = -(-left // timedelta(days=1))
    within = "within a day" if days == 1 else f"in {days} days"
    return f"The token for Jira ends {within}, on {ends:%-d %b %Y}: after that nothing is read."
