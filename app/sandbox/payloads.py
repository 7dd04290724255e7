"""What is told to receivers, in each shape. Webhooks look like API version 2 on Cloud too: texts
are wiki markup; Forge events look like version 3.

https://developer.atlassian.com/cloud/jira/platform/webhooks/
https://developer.atlassian.com/platform/forge/events-reference/jira/
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from app.sandbox.outbox import Happening, Letter, Shape
from app.sandbox.records import NOBODY, Comment, History, Issue, Link, User
from app.sandbox.shapes import Face, Fields, changes_as_json
from app.sandbox.state import SandboxState

_ALL_BUT_COMMENTS = Fields(frozenset({"*all", "-comment"}))
_SHORT = Fields(frozenset({"summary", "issuetype", "project", "assignee", "priority", "status"}))
_FORGE = Fields(
    frozenset(
        {"summary", "issuetype", "project", "creator", "created", "reporter", "assignee"}
        | {"updated", "status"}
    )
)
_FORGE_ISSUE = {
    "jira:issue_created": "avi:jira:created:issue",
    "jira:issue_updated": "avi:jira:updated:issue",
    "jira:issue_deleted": "avi:jira:deleted:issue",
}
_FORGE_COMMENT = {
    "comment_created": "avi:jira:commented:issue",
    "comment_updated": "avi:jira:commented:issue",
    "comment_deleted": "avi:jira:deleted:comment",
}
_RULE = {
    "jira:issue_created": "created",
    "jira:issue_updated": "updated",
    "jira:issue_deleted": "deleted",
    "comment_created": "commented",
}
_OLD_COMMENT = {
    "comment_created": "issue_commented",
    "comment_updated": "issue_comment_edited",
    "comment_deleted": "issue_comment_deleted",
}
Json = dict[str, Any]


def publish_issue(
    state: SandboxState, event: str, issue: Issue, actor: User, history: History | None = None
) -> None:
    """`jira:issue_*`. An update carries its changelog entry."""
    if not state.outbox.wanted():
        return
    forge = [_FORGE_ISSUE[event]]
    if history and any(change.field == "assignee" for change in history.changes):
        forge.insert(0, "avi:jira:assigned:issue")  # one assignment is told twice

    def webhook() -> Json:
        kind = None if event == "jira:issue_deleted" else _event_type(event, history)
        body = _issue_event(state, event, issue, actor, kind)
        if history is not None:
            entry = {"id": history.id, "items": changes_as_json(history, state.deployment)}
            body["changelog"] = entry
        return body

    def triggered(name: str) -> Callable[[], Json]:
        return lambda: _forge_body(state, name, issue, actor) | _changelog(state, name, history)

    letters: dict[Shape, list[Letter]] = {
        "webhook": [(event, cache(webhook))],
        "forge": [(name, triggered(name)) for name in forge],
        "rule": [(_RULE[event], lambda: _facts(issue, actor, None))],
    }
    _tell(state, issue, actor, letters)


def publish_comment(
    state: SandboxState, event: str, issue: Issue, comment: Comment, actor: User
) -> None:
    """`comment_*`: on Cloud no `user` and a short issue. Data Center names neither of the two,
    and tells it a second time as `jira:issue_updated`."""
    if not state.outbox.wanted():
        return
    cloud = state.deployment == "cloud"

    def webhook() -> Json:
        body: Json = {"timestamp": _now(state), "webhookEvent": event}
        if not cloud and event == "comment_deleted":
            body["user"] = Face(state, "2", NOBODY).user(actor.account_id)
        body["comment"] = Face(state, "2", NOBODY).comment(comment)
        if cloud:
            body["issue"] = _issue(Face(state, "2", NOBODY), issue, _SHORT)
            body["eventType"] = "primaryAction"
        return body

    def old_way() -> Json:
        kind = _OLD_COMMENT[event]
        body = _issue_event(state, "jira:issue_updated", issue, actor, kind)
        if event != "comment_deleted":
            body["comment"] = Face(state, "2", NOBODY).comment(comment)
        return body

    def triggered() -> Json:
        shown = Face(state, "3", NOBODY).comment(comment)
        return _forge_body(state, name, issue, actor) | {"comment": shown}

    name = _FORGE_COMMENT[event]
    letters: dict[Shape, list[Letter]] = {
        "webhook": [(event, cache(webhook))],
        "forge": [(name, triggered)],
    }
    if not cloud:
        letters["webhook"].append(("jira:issue_updated", cache(old_way)))
    if event in _RULE:
        letters["rule"] = [(_RULE[event], lambda: _facts(issue, actor, comment))]
    _tell(state, issue, actor, letters)


def publish_link(state: SandboxState, event: str, link: Link, actor: User) -> None:
    """`issuelink_*`: neither `user` nor `issue`; sent only to those who asked for it."""
    if not state.outbox.wanted():
        return
    kind = Face(state, "2", NOBODY).link_type(link.type)
    body = {
        "timestamp": _now(state),
        "webhookEvent": event,
        "issueLink": {
            "id": int(link.id),
            "sourceIssueId": int(link.source),
            "destinationIssueId": int(link.target),
            "issueLinkType": {
                "id": int(kind["id"]),
                "name": kind["name"],
                "outwardName": kind["outward"],
                "inwardName": kind["inward"],
                "isSubTaskLinkType": False,
                "isSystemLinkType": False,
            },
        },
    }
    _tell(state, state.issues[link.source], actor, {"webhook": [(event, lambda: body)]})


def forge_issue(state: SandboxState, issue: Issue) -> Json:
    """An issue as Forge events and agents are shown it."""
    return _issue(Face(state, "3", NOBODY), issue, _FORGE)


def _tell(
    state: SandboxState, issue: Issue, actor: User, letters: dict[Shape, list[Letter]]
) -> None:
    state.outbox.publish(Happening(issue.project, issue.key, actor.account_id, letters))


def _issue_event(
    state: SandboxState, event: str, issue: Issue, actor: User, kind: str | None
) -> Json:
    face = Face(state, "2", NOBODY)
    body: Json = {"timestamp": _now(state), "webhookEvent": event}
    if kind is not None:
        body["issue_event_type_name"] = kind
    body["user"] = face.user(actor.account_id)
    body["issue"] = _issue(face, issue, _ALL_BUT_COMMENTS)
    return body


def _forge_body(state: SandboxState, name: str, issue: Issue, actor: User) -> Json:
    people = [{"accountId": actor.account_id}]
    body: Json = {"eventType": name, "issue": forge_issue(state, issue)}
    return body | {
        "atlassianId": actor.account_id,
        "associatedUsers": {"associatedUsers": people},
    }


def _changelog(state: SandboxState, name: str, history: History | None) -> Json:
    """An assignment is told with what it changed of the assignee alone."""
    if history is None:
        return {}
    items = changes_as_json(history, state.deployment)
    if name == "avi:jira:assigned:issue":
        items = [item for item in items if item["field"] == "assignee"]
    return {"changelog": {"items": items}}


def _facts(issue: Issue, actor: User, comment: Comment | None) -> dict[str, str]:
    """What smart values can be, of those that matter."""
    return {
        "issue.id": issue.id,
        "issue.key": issue.key,
        "issue.summary": issue.summary,
        "issue.project.key": issue.project,
        "initiator.accountId": actor.account_id,
        "comment.id": comment.id if comment else "",
    }


def _event_type(event: str, history: History | None) -> str:
    if event == "jira:issue_created":
        return "issue_created"
    fields = {change.field for change in history.changes} if history else set()
    if "status" in fields:
        return "issue_generic"
    return "issue_assigned" if fields == {"assignee"} else "issue_updated"


def _issue(face: Face, issue: Issue, fields: Fields) -> Json:
    return {
        "id": issue.id,
        "self": face.url(f"issue/{issue.id}"),
        "key": issue.key,
        "fields": face.fields(issue, fields),
    }


def _now(state: SandboxState) -> int:
    return int(state.now().timestamp() * 1000)
