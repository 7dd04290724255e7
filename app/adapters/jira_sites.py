"""The trackers of all sites, each made from its row and from nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from threading import Lock
from typing import Any

from app.adapters.jira import JiraTracker
from app.adapters.jira_auth import Auth, Basic, Bearer, Connect, Forge, Withdrawn
from app.adapters.jira_pace import Pace, Quota
from app.adapters.jira_session import Way

Site = Mapping[str, Any]
READ = (
    "connection",
    "deployment",
    "api_url",
    "email",
    "token",
    "token_expires_at",
    "silent_edits",
    "uninstalled_at",
)
"""Columns of a site that a tracker is made from: when one changes, it is made anew."""


def auth_of(site: Site, token: str, app_key: str) -> Auth:
    """The credential that belongs to the site's kind of connection."""
    if site.get("uninstalled_at") is not None:
        return Withdrawn(site["id"])
    kind = site.get("connection", "token")
    if kind == "connect":
        return Connect(app_key, token, site["api_url"])
    if kind == "forge":
        return Forge(token, site.get("token_expires_at"))
    if site["deployment"] == "cloud" and site["email"]:
        return Basic(site["email"], token)
    return Bearer(token)


@dataclass(frozen=True, slots=True)
class Kept:
    made_from: tuple[Any, ...]
    pace: Pace
    tracker: JiraTracker


class Trackers:
    """One a site is kept, as it knows its own account by then; what Jira asked it to wait for
    outlives a new token. way: without a pace of its own."""

    def __init__(self, unseal: Callable[[str], str], app_key: str, way: Way) -> None:
        self._unseal = unseal
        self._app_key = app_key
        self._way = way
        self._lock = Lock()
        self._kept: dict[str, Kept] = {}
        self._quotas = {"connect": Quota(), "forge": Quota()}

    def __call__(self, site: Site) -> JiraTracker:
        made_from = tuple(site.get(name) for name in READ)
        with self._lock:
            kept = self._kept.get(site["id"])
            if kept is None or kept.made_from != made_from:
                kept = self._make(site, made_from, kept)
                self._kept[site["id"]] = kept
            return kept.tracker

    def _make(self, site: Site, made_from: tuple[Any, ...], old: Kept | None) -> Kept:
        where = READ.index("api_url")
        if old is not None and old.made_from[: where + 1] == made_from[: where + 1]:
            pace = old.pace
        else:
            pace = Pace(self._quotas.get(site.get("connection", "")))
        token = self._unseal(site["token"]) if site["token"] else ""
        auth = auth_of(site, token, self._app_key)
        way = replace(self._way, silent=bool(site.get("silent_edits")), pace=pace)
        made = JiraTracker(site["id"], site["api_url"], auth, site["deployment"], way)
        return Kept(made_from, pace, made)
