"""What can be done to a comment. Callers hold the state's lock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.sandbox.markup import RichText
from app.sandbox.payloads import publish_comment
from app.sandbox.records import Comment, Issue, User
from app.sandbox.refusals import Refusal
from app.sandbox.state import SandboxState

PER_ISSUE = 5000
"""Comments an issue can have; one more is answered 413."""
INTERNAL = "sd.public.comment"
"""The property by which a service desk comment is made internal."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A comment as it came in. None means: not said."""

    body: RichText | None = None
    visibility: dict[str, str] | None = None
    properties: Mapping[str, Any] = field(default_factory=dict)


def add(state: SandboxState, issue: Issue, draft: Draft, actor: User) -> Comment:
    """https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issue-comments/

    Without the right Jira answers 400, not 403.
    """
    message = f"{actor.display_name}, you do not have the permission to comment on this issue."
    state.require(actor, "ADD_COMMENTS", issue.project, 400, message)
    if len(issue.comments) >= PER_ISSUE:
        raise Refusal(413, "The limit of comments of this issue has been reached.")
    if draft.body is None:
        raise Refusal(400, errors={"comment": "Comment body can not be empty!"})
    _check_visibility(state, issue, draft, actor)
    now = state.tick()
    comment = Comment(
        id=state.number("comment"),
        issue_id=issue.id,
        author=actor.account_id,
        body=draft.body,
        created=now,
        updated=now,
        visibility=draft.visibility,
        public=_public(state, issue, draft.properties),
        properties=dict(draft.properties),
    )
    state.comments[comment.id] = comment
    issue.comments.append(comment.id)
    issue.updated = now
    state.notify("comment_created", issue, actor)
    publish_comment(state, "comment_created", issue, comment, actor)
    return comment


def edit(
    state: SandboxState, comment: Comment, draft: Draft, actor: User, notify: bool = True
) -> Comment:
    """Replace the body, the visibility or both; properties are set by key.

    Cloud keeps a silent edit for administrators; Data Center knows none and mails always.
    """
    issue = state.issues[comment.issue_id]
    _require_own(state, comment, actor, "EDIT")
    if not notify and state.deployment == "cloud" and not actor.administers(issue.project):
        raise Refusal(403, "You do not have permission to edit a comment without notifying users.")
    _check_visibility(state, issue, draft, actor)
    comment.body = draft.body or comment.body
    comment.visibility = draft.visibility or comment.visibility
    comment.properties |= draft.properties
    show_or_hide(state, comment)
    comment.update_author = actor.account_id
    comment.updated = issue.updated = state.tick()
    wanted = notify or state.deployment == "server"
    state.notify("comment_updated", issue, actor, wanted=wanted)
    publish_comment(state, "comment_updated", issue, comment, actor)
    return comment


def delete(state: SandboxState, comment: Comment, actor: User) -> None:
    issue = state.issues[comment.issue_id]
    _require_own(state, comment, actor, "DELETE")
    publish_comment(state, "comment_deleted", issue, comment, actor)
    issue.comments.remove(comment.id)
    del state.comments[comment.id]
    issue.updated = state.tick()


def ordered(comments: Sequence[Comment], order: str) -> list[Comment]:
    """`created`, `+created` or `-created`; another order is refused."""
    if order not in ("created", "+created", "-created"):
        raise Refusal(400, f"Cannot order comments by '{order}'.")
    return sorted(
        comments, key=lambda comment: (comment.created, int(comment.id)), reverse=order[0] == "-"
    )


def editable(state: SandboxState, comment: Comment, actor: User, verb: str = "EDIT") -> bool:
    """One's own comment with the one right, anybody's with the other."""
    project = state.issues[comment.issue_id].project
    own = comment.author == actor.account_id and actor.may(f"{verb}_OWN_COMMENTS", project)
    return own or actor.may(f"{verb}_ALL_COMMENTS", project)


def _require_own(state: SandboxState, comment: Comment, actor: User, verb: str) -> None:
    if not editable(state, comment, actor, verb):
        raise Refusal(400, f"You do not have the permission to {verb.lower()} this comment.")


def _check_visibility(state: SandboxState, issue: Issue, draft: Draft, actor: User) -> None:
    if draft.visibility and not state.belongs(actor, issue.project, draft.visibility):
        kind = "project role" if draft.visibility.get("type") == "role" else "group"
        name = draft.visibility.get("value") or draft.visibility.get("identifier")
        why = f"You are currently not a member of the {kind}: {name}."
        raise Refusal(400, errors={"commentLevel": why})


def show_or_hide(state: SandboxState, comment: Comment) -> None:
    """Make a service desk's comment internal or public, as its property says now."""
    comment.public = _public(state, state.issues[comment.issue_id], comment.properties)


def _public(state: SandboxState, issue: Issue, properties: Mapping[str, Any]) -> bool:
    mark = properties.get(INTERNAL)
    internal = isinstance(mark, dict) and mark.get("internal") is True
    return not (internal and state.projects[issue.project].type == "service_desk")
