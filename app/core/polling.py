"""What polling asks Jira for. Jira's own times are compared with Jira's own times: our clock only
says how far back a query has to reach."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

OVERLAP = timedelta(minutes=2)
"""Looked at once more each time: Jira's search index may show a change later than its time."""
FARTHEST = timedelta(days=7)
"""As far as a query reaches back after a long standstill: it has to stay bounded."""
WITH_DOOR = timedelta(minutes=5)
"""How often a site is polled whose deliveries come in by themselves: only for what was lost."""


def due(polled_at: datetime, now: datetime, *, door: bool) -> bool:
    """polled_at: up to when the site was looked through. Without a door it is asked each time."""
    return not door or now - polled_at >= WITH_DOOR


def query(project_keys: Sequence[str], since: datetime, now: datetime) -> str:
    """JQL for all that changed in these projects since then, oldest first. In minutes ago, as a
    time of day would be read in the zone of our account.
    https://support.atlassian.com/jira-software-cloud/docs/jql-fields/#Updated"""
    back = min(max(now - since, timedelta(0)) + OVERLAP, FARTHEST)
    minutes = -(-back // timedelta(minutes=1)) + 1
    keys = ", ".join(f'"{key}"' for key in sorted(project_keys))
    return f'project in ({keys}) AND updated >= "-{minutes}m" ORDER BY updated ASC'
