"""Webhook bodies. They are shaped like API version 2 on Cloud too: texts are wiki markup.

https://developer.atlassian.com/cloud/jira/platform/webhooks/
"""

from __future__ import annotations

from typing import Any

from app.sandbox.records import Comment, History, Issue, Link, User
from app.sandbox.shapes import Face, Fields, changes_as_json
from app.sandbox.state import SandboxState

NOBODY = User("", "", "", "", active=False)
_ALL_BUT_COMMENTS = Fields(frozenset({"*all", "-comment"}))
_SHORT = Fields(frozenset({"summary", "issuetype", "project", "assignee", "priority", "status"}))


def publish_issue(
    state: SandboxState, event: str, issue: Issue, actor: User, history: History | None = None
) -> None:
    """`jira:issue_*`. An update carries its changelog entry."""
    if not state.outbox.wanted():
        return
    face = Face(state, "2", NOBODY)
    body: dict[str, Any] = {"timestamp": _now(state), "webhookEvent": event}
    if event != "jira:issue_deleted":
        body["issue_event_type_name"] = _event_type(event, history)
    body["user"] = face.user(actor.account_id)
    body["issue"] = _issue(face, issue, _ALL_BUT_COMMENTS)
    if history is not None:
        body["changelog"] = {"id": history.id, "items": changes_as_json(history)}
    state.outbox.publish(event, issue.project, issue.key, body)


def publish_comment(state: SandboxState, event: str, issue: Issue, comment: Comment) -> None:
    """`comment_*`: no `user`, a short issue; the author is in the comment."""
    if not state.outbox.wanted():
        return
    face = Face(state, "2", NOBODY)
    body = {
        "timestamp": _now(state),
        "webhookEvent": event,
        "comment": face.comment(comment),
        "issue": _issue(face, issue, _SHORT),
        "eventType": "primaryAction",
    }
    state.outbox.publish(event, issue.project, issue.key, body)


def publish_link(state: SandboxState, event: str, link: Link) -> None:
    """`issuelink_*`: neither `user` nor `issue`; sent only to those who asked for it."""
    if not state.outbox.wanted():
        return
    kind = Face(state, "2", NOBODY).link_type(link.type)
    source = state.issues[link.source]
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
    state.outbox.publish(event, source.project, source.key, body)


def _event_type(event: str, history: History | None) -> str:
    if event == "jira:issue_created":
        return "issue_created"
    fields = {change.field for change in history.changes} if history else set()
    if "status" in fields:
        return "issue_generic"
    return "issue_assigned" if fields == {"assignee"} else "issue_updated"


def _issue(face: Face, issue: Issue, fields: Fields) -> dict[str, Any]:
    return {
        "id": issue.id,
        "self": face.url(f"issue/{issue.id}"),
        "key": issue.key,
        "fields": face.fields(issue, fields),
    }


def _now(state: SandboxState) -> int:
    return int(state.now().timestamp() * 1000)
