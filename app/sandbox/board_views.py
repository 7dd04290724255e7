"""What the pages show, taken out of the state. Nothing is changed here."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from fastapi import Request
from markupsafe import Markup

from app.sandbox.frames import frame_address
from app.sandbox.markup import RichText
from app.sandbox.records import (
    ISSUE_TYPES,
    LINK_TYPES,
    PRIORITIES,
    STATUSES,
    SUBTASK,
    Change,
    Comment,
    Issue,
    User,
)
from app.sandbox.render import to_html
from app.sandbox.state import SandboxState

_COLOURS = {"new": "neutral", "indeterminate": "blue", "done": "green"}


def columns(state: SandboxState, actor: User, request: Request) -> dict[str, Any]:
    """Issues by status, of one project or of all."""
    chosen = request.query_params.get("project", "").upper()
    project = state.project(chosen, actor) if chosen else None
    seen = [
        issue
        for issue in state.issues.values()
        if state.visible(issue, actor) and chosen in ("", issue.project)
    ]
    return {
        "title": project.name if project else "All projects",
        "chosen": chosen,
        "cards": seen,
        "columns": [
            {"status": status, "issues": [issue for issue in seen if issue.status == status.id]}
            for status in STATUSES.values()
        ],
        "issue_types": [name for kind, name in ISSUE_TYPES.items() if kind != SUBTASK],
        "kind": _kind,
        "live": f"/live?project={chosen}",
    }


def ticket(state: SandboxState, actor: User, request: Request) -> dict[str, Any]:
    """One issue with everything the acting user may see."""
    issue = state.issue(request.path_params["key"], actor)
    names = {user.account_id: user.display_name for user in state.users.values()}
    status = STATUSES[issue.status]
    return {
        "issue": issue,
        "chosen": issue.project,
        "description": _html(issue.description, names),
        "wiki": issue.description.wiki() if issue.description else "",
        "comments_shown": [
            _comment(state, comment, names) for comment in state.comments_of(issue, actor)
        ],
        "links": _links(state, issue),
        "statuses": list(STATUSES.values()),
        "status_name": status.name,
        "colour": _COLOURS[status.category],
        "priority": PRIORITIES[issue.priority],
        "kind": _kind,
        "name": state.name_of,
        "news": [
            {"who": state.name_of(entry.author), "at": entry.created, "what": _told(change)}
            for entry in reversed(issue.history)
            for change in entry.changes
        ],
        "when": _when,
        "frame": _frame(state, issue, actor),
    }


def _frame(state: SandboxState, issue: Issue, actor: User) -> str:
    """The page with the app's panel, where an app is installed."""
    if not (state.connect_apps or state.forge_apps):
        return ""
    return frame_address(actor, "panel", issue=issue.key)


def _comment(state: SandboxState, comment: Comment, names: dict[str, str]) -> dict[str, Any]:
    author = state.users.get(comment.author)
    restricted = "" if comment.public else "INTERNAL"
    if comment.visibility:
        restricted = f"ONLY {comment.visibility.get('value', '')}".upper()
    return {
        "comment": comment,
        "author": state.name_of(comment.author) or "Somebody",
        "kind": author.account_type if author else "atlassian",
        "body": _html(comment.body, names),
        "restricted": restricted,
    }


def _told(change: Change) -> str:
    """A changelog entry in words."""
    before, after = change.before_text or "", change.after_text or ""
    if change.field == "labels":
        added = [f"+{label}" for label in after.split() if label not in before.split()]
        gone = [f"−{label}" for label in before.split() if label not in after.split()]
        return f"labels: {' '.join([*added, *gone])}"
    if change.field == "description":
        return "description"
    if change.field == "Link":
        return f"links: {'+' if after else '−'} {after or before}"
    return f"{change.field}: {before or 'none'} → {after or 'none'}"


def _links(state: SandboxState, issue: Issue) -> list[dict[str, str]]:
    out = []
    for link in state.links_of(issue):
        _, inward, outward = LINK_TYPES[link.type]
        forth = link.source == issue.id
        other = state.issues[link.target if forth else link.source]
        out.append({"name": outward if forth else inward, "key": other.key})
    return out


def _html(text: RichText | None, names: dict[str, str]) -> Markup:
    return to_html(text.adf(), names) if text else Markup("")


def _kind(issue: Issue) -> str:
    return ISSUE_TYPES[issue.issue_type]


def _when(time: datetime) -> str:
    return f"{time.astimezone(UTC):%d %b %Y %H:%M:%S} UTC"
