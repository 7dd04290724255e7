"""REST: search by JQL, and the search that Jira took away.

https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issue-search/
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from typing import Any

from app.sandbox.call import Call, Reply, Route
from app.sandbox.jql import parse
from app.sandbox.jql_match import find
from app.sandbox.records import Issue
from app.sandbox.refusals import Refusal, bad_field
from app.sandbox.shapes import Fields

MOST_IDS = 5000
MOST_WITH_FIELDS = 100
"""Jira gives fewer issues a page than asked for when fields are named; how many is its choice."""
MOST_SEARCHES = 8
GONE = (
    "The requested API has been removed. Please migrate to the /rest/api/3/search/jql API. "
    "A full migration guideline is available at "
    "https://developer.atlassian.com/changelog/#CHANGE-2046"
)


@dataclass(frozen=True, slots=True)
class Wanted:
    jql: str
    token: str
    size: int
    fields: tuple[str, ...]
    expand: tuple[str, ...]
    properties: tuple[str, ...]


def search_by_query(call: Call) -> Reply:
    return _search(
        call,
        Wanted(
            call.query.get("jql", ""),
            call.query.get("nextPageToken", ""),
            call.number("maxResults", 50),
            tuple(call.names("fields")),
            tuple(call.names("expand")),
            tuple(call.names("properties")),
        ),
    )


def search_by_body(call: Call) -> Reply:
    body = call.document()
    expand, size = str(body.get("expand") or ""), body.get("maxResults", 50)
    if not isinstance(size, int):
        raise bad_field("maxResults", "Expected a number.")
    return _search(
        call,
        Wanted(
            str(body.get("jql") or ""),
            str(body.get("nextPageToken") or ""),
            size,
            _names(body, "fields"),
            tuple(part.strip() for part in expand.split(",") if part.strip()),
            _names(body, "properties"),
        ),
    )


def _names(body: dict[str, Any], name: str) -> tuple[str, ...]:
    value = body.get(name) or []
    if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
        raise bad_field(name, "Expected a list of names.")
    return tuple(value)


def _search(call: Call, wanted: Wanted) -> Reply:
    """No total; a token leads to the next page; only `id` unless fields are named."""
    start = _read_token(wanted)
    found = _found(call, wanted.jql, start)
    light = set(wanted.fields) <= {"id", "key"} and not wanted.expand
    size = max(1, min(wanted.size, MOST_IDS if light else MOST_WITH_FIELDS))
    fields = Fields.of(wanted.fields, "id")
    shown = []
    for issue in found[start : start + size]:
        if not wanted.fields and not wanted.expand:
            shown.append({"id": issue.id})
            continue
        entry = call.face.issue(issue, fields, wanted.expand)
        if wanted.properties:
            held = issue.properties
            entry["properties"] = {k: held[k] for k in wanted.properties if k in held}
        shown.append(entry)
    last = start + size >= len(found)
    out = {"issues": shown, "isLast": last}
    return Reply(200, out if last else out | {"nextPageToken": _token(wanted, start + size)})


def count(call: Call) -> Reply:
    """About how many; here it is exact."""
    jql = str(call.document().get("jql") or "")
    return Reply(200, {"count": len(find(call.state, parse(jql), call.actor))})


def _found(call: Call, jql: str, start: int) -> list[Issue]:
    """A later page goes on in what the first one found, as long as nothing has changed: reading a
    large backlog would else look at all of it for every hundred."""
    state, who = call.state, (jql, call.actor.account_id)
    version, found = state.searches.pop(who, (-1, []))
    if not start or version != state.version:
        version, found = state.version, find(state, parse(jql), call.actor)
    state.searches[who] = version, found
    if len(state.searches) > MOST_SEARCHES:
        del state.searches[next(iter(state.searches))]
    return found


def _token(wanted: Wanted, start: int) -> str:
    return base64.urlsafe_b64encode(f"{start}:{_bound(wanted)}".encode()).decode()


def _bound(wanted: Wanted) -> str:
    return hashlib.sha256(wanted.jql.encode()).hexdigest()[:16]


def _read_token(wanted: Wanted) -> int:
    """A token belongs to the query that made it."""
    if not wanted.token:
        return 0
    try:
        start, _, bound = base64.urlsafe_b64decode(wanted.token).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        start, bound = "", ""
    if not start.isdigit() or bound != _bound(wanted):
        raise Refusal(400, "The provided next page token is invalid or expired.")
    return int(start)


def removed(call: Call) -> Reply:
    raise Refusal(410, GONE)


ROUTES: list[Route] = [
    ("GET", "/search/jql", search_by_query),
    ("POST", "/search/jql", search_by_body),
    ("POST", "/search/approximate-count", count),
    ("GET", "/search", removed),
    ("POST", "/search", removed),
]
