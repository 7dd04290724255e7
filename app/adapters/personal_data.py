"""Atlassian's personal data reporting API: an app says whose data it keeps, and hears whose it has
to erase.

https://developer.atlassian.com/cloud/jira/platform/user-privacy-developer-guide/
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import urlsplit

from app.adapters.jira_auth import Auth, Connect, Forge
from app.adapters.jira_fault import Call
from app.adapters.jira_session import JiraSession, Way
from app.ports import Refused

MOST = 90
"""Accounts in one report."""


class _Reports(JiraSession):
    """The same session on another place than the REST API."""

    def __init__(self, root: str, auth: Auth, way: Way) -> None:
        super().__init__(root, auth, "3", way)
        self._root = root


def report(api_url: str, auth: Auth, way: Way, stored: Mapping[str, datetime]) -> frozenset[str]:
    """Those of `stored` whose account was closed. "updated" asks for nothing: no name is kept."""
    root, path = _place(api_url, auth)
    session = _Reports(root, auth, way)
    closed: set[str] = set()
    for portion in _portions(sorted(stored)):
        accounts = [{"accountId": name, "updatedAt": _iso(stored[name])} for name in portion]
        call = Call("POST", path, "the report of accounts", body={"accounts": accounts})
        told = session.repeat(call) or {}  # it says the same when it is asked again
        found = told.get("accounts", ())
        closed |= {str(each["accountId"]) for each in found if each.get("status") == "closed"}
    return frozenset(closed & stored.keys())


def _place(api_url: str, auth: Auth) -> tuple[str, str]:
    if isinstance(auth, Connect):
        return api_url.rstrip("/"), "/rest/atlassian-connect/latest/report-accounts"
    if isinstance(auth, Forge):  # one for all sites, beside the gateway to each of them
        parts = urlsplit(api_url)
        return f"{parts.scheme}://{parts.netloc}", "/app/report-accounts/"
    auth.check()
    raise Refused("Only an app reports the accounts that it keeps.")


def _portions(names: list[str]) -> list[list[str]]:
    return [names[at : at + MOST] for at in range(0, len(names), MOST)]


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
