"""REST: the site itself, projects and their roles, users, permissions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from app.sandbox.call import Call, Reply, Route, page
from app.sandbox.records import ALL_RIGHTS, GLOBAL_RIGHTS, PROJECT_RIGHTS, ROLES, Project, User
from app.sandbox.refusals import Refusal
from app.sandbox.state import TITLE

BUILD = 100_000
T = TypeVar("T")


def myself(call: Call) -> Reply:
    return Reply(200, call.face.user(call.actor.account_id))


def server_info(call: Call) -> Reply:
    return Reply(200, about(call))


def about(call: Call) -> dict[str, Any]:
    return {
        "baseUrl": call.state.base_url,
        "displayUrl": call.state.base_url,
        "version": "1001.0.0-SANDBOX",
        "versionNumbers": [1001, 0, 0],
        "deploymentType": "Cloud",
        "buildNumber": BUILD,
        "scmInfo": "sandbox",
        "serverTitle": TITLE,
        "serverTimeZone": "Etc/UTC",
    }


# Projects


def _visible(call: Call) -> list[Project]:
    mine = call.actor
    return [p for p in call.state.projects.values() if mine.may("BROWSE_PROJECTS", p.key)]


def projects(call: Call) -> Reply:
    return Reply(200, [call.face.project(project) for project in _visible(call)])


def project_search(call: Call) -> Reply:
    found = _visible(call)
    keys, query = call.names("keys"), call.query.get("query", "").lower()
    kinds = call.names("typeKey")
    found = [
        project
        for project in sorted(found, key=lambda project: project.key)
        if (not keys or project.key in keys)
        and (not kinds or project.type in kinds)
        and (query in project.key.lower() or query in project.name.lower())
    ]
    out = page(call, "values", [call.face.project(entry) for entry in found], most=100)
    out["self"] = call.face.url("project/search")
    out["isLast"] = out["startAt"] + out["maxResults"] >= len(found)
    return Reply(200, out)


def project(call: Call, key: str) -> Reply:
    return Reply(200, call.face.project_details(call.state.project(key, call.actor)))


def roles(call: Call, key: str) -> Reply:
    found = _administered(call, key)
    return Reply(200, call.face.role_links(found))


def _administered(call: Call, key: str) -> Project:
    """Roles are shown to administrators alone; others are answered as if there were none."""
    found = call.state.project(key, call.actor)
    if not call.actor.administers(found.key):
        raise Refusal(404, f"You do not have administrative permission for project '{found.key}'.")
    return found


def role(call: Call, key: str, role_id: str) -> Reply:
    found = _administered(call, key)
    if not role_id.isdigit() or int(role_id) not in ROLES:
        raise Refusal(404, f"Can not retrieve a role actor for role id {role_id}.")
    return Reply(200, call.face.role(found, int(role_id)))


# Users


def user(call: Call) -> Reply:
    account_id = call.query.get("accountId")
    if account_id is None or account_id not in call.state.users:
        message = "Specified user does not exist or you do not have required permissions"
        raise Refusal(404, message)
    return Reply(200, call.face.user(account_id))


def user_search(call: Call) -> Reply:
    """By part of a display name or of a mail address, or by account id."""
    query, account_id = call.query.get("query"), call.query.get("accountId")
    if query is None and account_id is None:
        raise Refusal(400, "The query parameter 'query' or 'accountId' must be provided.")

    def fits(known: User) -> bool:
        if account_id is not None:
            return known.account_id == account_id
        text = f"{known.display_name}\n{known.email}".lower()
        return (query or "").lower() in text

    found = [known for known in call.state.users.values() if known.active and fits(known)]
    start, size = call.number("startAt", 0), call.number("maxResults", 50, 1000)
    return Reply(200, [call.face.user(known.account_id) for known in found[start : start + size]])


def users_with_rights(call: Call) -> Reply:
    """Of the people who fit, those who hold all the rights there. For administrators."""
    account_id, query = call.query.get("accountId"), call.query.get("query")
    if account_id is None and query is None:
        raise Refusal(400, "The query parameter 'query' or 'accountId' must be provided.")

    def fits(known: User) -> bool:
        if account_id is not None:
            return known.account_id == account_id
        return (query or "").lower() in f"{known.display_name}\n{known.email}".lower()

    return holders(call, fits)


def holders(call: Call, fits: Callable[[User], bool]) -> Reply:
    names, where = call.names("permissions"), place(call)
    if not names:
        raise Refusal(400, "Missing required parameter 'permissions'.")
    _check_rights(names)
    if not call.actor.administers(where):
        raise Refusal(403, "You do not have permission to search for users with permissions.")
    found = [
        known
        for known in call.state.users.values()
        if fits(known) and all(known.may(name, where) for name in names)
    ]
    start, size = call.number("startAt", 0), call.number("maxResults", 50, 1000)
    return Reply(200, [call.face.user(known.account_id) for known in found[start : start + size]])


def user_groups(call: Call) -> Reply:
    """Which groups somebody is in."""
    if not call.actor.may("USER_PICKER"):
        raise Refusal(403, "You are not authorized to browse users and groups.")
    known = call.state.users.get(call.query.get("accountId", ""))
    if known is None:
        raise Refusal(404, "Specified user does not exist.")
    return Reply(200, [{"name": name, "groupId": name} for name in sorted(known.groups)])


# Permissions


def my_permissions(call: Call) -> Reply:
    """Rights of the caller, site-wide or in the project or issue that is named."""
    names = call.names("permissions")
    if not names:
        raise Refusal(400, "Missing required parameter 'permissions'.")
    _check_rights(names)
    return Reply(200, {"permissions": permissions_of(call, names, place(call))})


def permissions_of(call: Call, names: list[str], project_key: str) -> dict[str, Any]:
    return {name: _permission(call, name, project_key) for name in names}


def place(call: Call) -> str:
    """Key of the project in which rights are asked for; empty for the site."""
    issue = call.query.get("issueKey") or call.query.get("issueId")
    if issue:
        return call.state.issue(issue, call.actor).project
    project_name = call.query.get("projectKey") or call.query.get("projectId")
    return call.state.project(project_name, call.actor).key if project_name else ""


def _permission(call: Call, name: str, project_key: str) -> dict[str, Any]:
    site_wide = name in GLOBAL_RIGHTS
    title = GLOBAL_RIGHTS[name] if site_wide else PROJECT_RIGHTS[name]
    return {
        "id": str(sorted(ALL_RIGHTS).index(name)),
        "key": name,
        "name": title,
        "type": "GLOBAL" if site_wide else "PROJECT",
        "description": title,
        "havePermission": call.actor.may(name, "" if site_wide else project_key),
    }


def check_permissions(call: Call) -> Reply:
    """Which of the named rights a user has; another user's only an administrator may ask."""
    body = call.document()
    account_id = body.get("accountId") or call.actor.account_id
    if account_id != call.actor.account_id and not call.actor.may("ADMINISTER"):
        raise Refusal(403, "Only Jira administrators can check the permissions of other users.")
    subject = call.state.users.get(str(account_id))
    wanted_global = _list_of(str, body.get("globalPermissions"))
    parts = _list_of(dict, body.get("projectPermissions"))
    asked = [(name, part) for part in parts for name in _list_of(str, part.get("permissions"))]
    _check_rights([*wanted_global, *(name for name, _ in asked)])
    grants = [_grant(call, subject, name, part) for name, part in asked]
    allowed = [name for name in wanted_global if subject and subject.may(name)]
    return Reply(200, {"projectPermissions": grants, "globalPermissions": allowed})


def _list_of(kind: type[T], value: object) -> list[T]:
    listed = value or []
    if not isinstance(listed, list) or not all(isinstance(entry, kind) for entry in listed):
        raise Refusal(400, f"Expected a list of {kind.__name__}.")
    return listed


def _grant(call: Call, subject: User | None, name: str, part: dict[str, Any]) -> dict[str, Any]:
    keys = {int(project.id): project.key for project in call.state.projects.values()}
    homes = {int(issue.id): issue.project for issue in call.state.issues.values()}

    def allowed(field: str, places: dict[int, str]) -> list[int]:
        known = [number for number in _list_of(int, part.get(field)) if number in places]
        return [number for number in known if subject and subject.may(name, places[number])]

    return {
        "permission": name,
        "projects": allowed("projects", keys),
        "issues": allowed("issues", homes),
    }


def _check_rights(names: list[str]) -> None:
    unknown = sorted(set(names) - ALL_RIGHTS)
    if unknown:
        raise Refusal(400, f"Unrecognized permission: {', '.join(unknown)}")


ROUTES: list[Route] = [
    ("GET", "/myself", myself),
    ("GET", "/serverInfo", server_info),
    ("GET", "/project", projects),
    ("GET", "/project/search", project_search),
    ("GET", "/project/{key}", project),
    ("GET", "/project/{key}/role", roles),
    ("GET", "/project/{key}/role/{role_id}", role),
    ("GET", "/user", user),
    ("GET", "/user/search", user_search),
    ("GET", "/user/groups", user_groups),
    ("GET", "/user/permission/search", users_with_rights),
    ("GET", "/mypermissions", my_permissions),
    ("POST", "/permissions/check", check_permissions),
]
