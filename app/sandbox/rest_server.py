"""REST of Data Center where it differs: what only Cloud has, the search, users by key and name.

https://developer.atlassian.com/server/jira/platform/rest/
"""

from __future__ import annotations

from typing import Any

from app.sandbox.call import Call, Reply, Route, page
from app.sandbox.jql import parse
from app.sandbox.jql_match import find
from app.sandbox.records import ALL_RIGHTS, User
from app.sandbox.refusals import Refusal, bad_field
from app.sandbox.rest_site import holders, permissions_of, place
from app.sandbox.shapes import Fields
from app.sandbox.state import TITLE

CLOUD_ONLY = frozenset(
    {
        ("GET", "/issue/{key}/changelog"),
        ("POST", "/comment/list"),
        ("GET", "/search/jql"),
        ("POST", "/search/jql"),
        ("POST", "/search/approximate-count"),
        ("GET", "/project/search"),
        ("GET", "/user/groups"),
        ("POST", "/permissions/check"),
    }
)
VERSION = (10, 3, 5)
MOST = 1000


def server_info(call: Call) -> Reply:
    numbers = ".".join(map(str, VERSION))
    out = {
        "baseUrl": call.state.base_url,
        "version": numbers,
        "versionNumbers": list(VERSION),
        "deploymentType": "Server",
        "buildNumber": 10030005,
        "scmInfo": "sandbox",
        "serverTitle": TITLE,
    }
    return Reply(200, out)


def search_by_query(call: Call) -> Reply:
    asked = {"jql": call.query.get("jql", ""), "fields": call.names("fields")}
    numbers = {"startAt": call.number("startAt", 0), "maxResults": call.number("maxResults", 50)}
    return _search(call, {**asked, **numbers, "expand": call.names("expand")})


def search_by_body(call: Call) -> Reply:
    body = call.document()
    for name in ("startAt", "maxResults"):
        if not isinstance(body.get(name, 0), int):
            raise bad_field(name, "Expected a number.")
    return _search(call, body)


def _search(call: Call, asked: dict[str, Any]) -> Reply:
    """By startAt, with a total."""
    found = find(call.state, parse(str(asked.get("jql") or "")), call.actor)
    start, size = max(0, asked.get("startAt", 0)), min(asked.get("maxResults", 50), MOST)
    fields = Fields.of(asked.get("fields") or (), "*navigable")
    expand = asked.get("expand") or ()
    shown = [call.face.issue(issue, fields, expand) for issue in found[start : start + size]]
    out = {"startAt": start, "maxResults": size, "total": len(found), "issues": shown}
    return Reply(200, {"expand": "schema,names"} | out)


def user(call: Call) -> Reply:
    """By `key` or `username`; groups when they are asked for."""
    key, name = call.query.get("key"), call.query.get("username")
    if key is None and name is None:
        raise Refusal(400, "Either the 'username' or the 'key' query parameters need to be given.")
    known = call.state.users.values()
    found = next((u for u in known if u.account_id == key or (name and u.name == name)), None)
    if found is None:
        raise Refusal(404, f"The user with the key or name '{key or name}' does not exist")
    shown = dict(call.face.user(found.account_id) or {})
    if "groups" in call.names("expand"):
        items = [{"name": group} for group in sorted(found.groups)]
        shown["groups"] = {"size": len(items), "items": items}
    return Reply(200, shown)


def user_search(call: Call) -> Reply:
    """By part of a name or of a mail address."""
    wanted = call.query.get("username")
    if wanted is None:
        raise Refusal(400, "The username query parameter was not provided")

    def fits(known: User) -> bool:
        text = f"{known.name}\n{known.display_name}\n{known.email}".lower()
        return known.active and wanted.lower() in text

    found = [known for known in call.state.users.values() if fits(known)]
    people = [call.face.user(known.account_id) for known in found]
    return Reply(200, page(call, "values", people, most=MOST)["values"])


def users_with_rights(call: Call) -> Reply:
    """By part of a name, as in the search for users."""
    wanted = call.query.get("username")
    if wanted is None:
        raise Refusal(400, "The username query parameter was not provided")
    return holders(
        call, lambda known: wanted.lower() in f"{known.name}\n{known.display_name}".lower()
    )


def my_permissions(call: Call) -> Reply:
    """All of them; none can be asked for by name."""
    return Reply(200, {"permissions": permissions_of(call, sorted(ALL_RIGHTS), place(call))})


ROUTES: list[Route] = [
    ("GET", "/serverInfo", server_info),
    ("GET", "/search", search_by_query),
    ("POST", "/search", search_by_body),
    ("GET", "/user", user),
    ("GET", "/user/search", user_search),
    ("GET", "/user/permission/search", users_with_rights),
    ("GET", "/mypermissions", my_permissions),
]


def server_routes(routes: list[Route]) -> list[Route]:
    """Those of Cloud that Data Center has too, with its own in their place."""
    own = {(method, path) for method, path, _ in ROUTES}
    kept = [route for route in routes if route[:2] not in own | CLOUD_ONLY]
    return [*ROUTES, *kept]
