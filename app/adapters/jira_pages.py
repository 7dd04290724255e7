"""Lists that Jira hands out in pages, read to their end."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from app.adapters.jira_fault import Call
from app.adapters.jira_reading import Json
from app.adapters.jira_session import JiraSession
from app.ports import Refused

PAGE = 100
LARGE_PAGE = 1000
"""From the second page of comments on: three thousand are four calls, and few tickets have any."""
MOST_PAGES = 100
OVERLAP = 10
"""Data Center counts rows, which move up when one before them leaves the list meanwhile."""
UNBOUNDED = re.compile(r"\s*(order\s+by\b.*)?", re.IGNORECASE | re.DOTALL)


def part(text: str) -> str:
    """One part of an address, whatever the text is."""
    if text in (".", ".."):
        raise Refused(f"There is nothing called {text!r} in Jira.")
    return quote(text, safe="")


def pages(
    api: JiraSession, path: str, key: str, what: str, params: Mapping[str, str | int]
) -> Iterator[Json]:
    """All entries of a list that counts them."""
    start, size = 0, PAGE
    for _ in range(MOST_PAGES):
        asked = {**params, "startAt": start, "maxResults": size}
        page: Json = api.repeat(Call("GET", path, what, "Browse Projects", asked))
        yield from page[key]
        start += len(page[key])
        if not page[key] or page.get("isLast") or start >= page.get("total", math.inf):
            return
        size = LARGE_PAGE if key == "comments" else PAGE
    raise Refused(f"There is more about {what} than Signalbox reads.")


class Search:
    """Tickets by a bounded query. Cloud goes on by a token and tells no total; Data Center counts.

    Asked by POST, as a query may be too long for an address.
    """

    def __init__(self, api: JiraSession, *, cloud: bool) -> None:
        self._api = api
        self._cloud = cloud

    def all(self, jql: str, fields: str, most: int) -> Iterator[Json]:
        """The first `most`, each once."""
        seen = set[str]()
        at = ""
        while len(seen) < most:
            issues, at = self.page(jql, fields, at)
            for issue in issues:
                if issue["id"] not in seen and len(seen) < most:
                    seen.add(issue["id"])
                    yield issue
            if not at:
                return

    def page(self, jql: str, fields: str, at: str) -> tuple[list[Json], str]:
        """The tickets from a place on, and the next place; empty = that was all."""
        _bounded(jql)
        body: dict[str, Any] = {"jql": jql, "fields": fields.split(","), "maxResults": PAGE}
        if self._cloud:
            found = self._ask("/search/jql", body | ({"nextPageToken": at} if at else {}))
            return found["issues"], str(found.get("nextPageToken") or "")
        start = int(at or 0)
        found = self._ask("/search", body | {"startAt": start})
        end = start + len(found["issues"])
        more = len(found["issues"]) > OVERLAP and end < found.get("total", 0)
        return found["issues"], str(end - OVERLAP) if more else ""

    def count(self, jql: str) -> int:
        """About how many; Cloud estimates it."""
        _bounded(jql)
        if self._cloud:
            return int(self._ask("/search/approximate-count", {"jql": jql})["count"])
        return int(self._ask("/search", {"jql": jql, "fields": ["id"], "maxResults": 0})["total"])

    def _ask(self, path: str, body: Json) -> Json:
        what, need = "the search for tickets", "Browse Projects"
        found: Json = self._api.repeat(Call("POST", path, what, need, body=body))
        return found


def _bounded(jql: str) -> None:
    if UNBOUNDED.fullmatch(jql):
        raise Refused(f"The search {jql!r} has no bounds: name a project in it.")
