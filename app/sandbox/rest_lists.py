"""REST: what a site has by configuration: fields, statuses, issue types, priorities, link types."""

from __future__ import annotations

from typing import Any

from app.sandbox.call import Call, Reply, Route
from app.sandbox.records import ISSUE_TYPES, LINK_TYPES, PRIORITIES, STATUSES

_FIELDS = {
    "summary": ("Summary", "string"),
    "description": ("Description", "string"),
    "issuetype": ("Issue Type", "issuetype"),
    "project": ("Project", "project"),
    "status": ("Status", "status"),
    "priority": ("Priority", "priority"),
    "labels": ("Labels", "array"),
    "reporter": ("Reporter", "user"),
    "creator": ("Creator", "user"),
    "assignee": ("Assignee", "user"),
    "created": ("Created", "datetime"),
    "updated": ("Updated", "datetime"),
    "resolution": ("Resolution", "resolution"),
    "resolutiondate": ("Resolved", "datetime"),
    "security": ("Security Level", "securitylevel"),
    "issuelinks": ("Linked Issues", "array"),
    "comment": ("Comment", "comments-page"),
    "duedate": ("Due date", "date"),
}


def fields(call: Call) -> Reply:
    return Reply(200, [_field(name) for name in _FIELDS])


def _field(name: str) -> dict[str, Any]:
    title, kind = _FIELDS[name]
    return {
        "id": name,
        "key": name,
        "name": title,
        "custom": False,
        "orderable": True,
        "navigable": name != "comment",
        "searchable": True,
        "clauseNames": [name],
        "schema": {"type": kind, "system": name},
    }


def statuses(call: Call) -> Reply:
    return Reply(200, [call.face.status(status) for status in STATUSES])


def issue_types(call: Call) -> Reply:
    return Reply(200, [call.face.issue_type(kind) for kind in ISSUE_TYPES])


def priorities(call: Call) -> Reply:
    return Reply(200, [call.face.priority(priority) for priority in PRIORITIES])


def link_types(call: Call) -> Reply:
    return Reply(200, {"issueLinkTypes": [call.face.link_type(kind) for kind in LINK_TYPES]})


ROUTES: list[Route] = [
    ("GET", "/field", fields),
    ("GET", "/status", statuses),
    ("GET", "/issuetype", issue_types),
    ("GET", "/priority", priorities),
    ("GET", "/issueLinkType", link_types),
]
