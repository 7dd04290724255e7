"""What can be done to an issue. Every write is checked, recorded, and told to the webhooks.

Callers hold the state's lock. Values have been read and checked by `issue_input`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.sandbox.markup import RichText
from app.sandbox.payloads import publish_issue, publish_link
from app.sandbox.records import (
    ISSUE_TYPES,
    LINK_TYPES,
    PRIORITIES,
    STATUSES,
    Change,
    History,
    Issue,
    Link,
    Project,
    User,
)
from app.sandbox.refusals import Refusal
from app.sandbox.state import SandboxState

NAMES = {"issue_type": "issuetype"}


def create(state: SandboxState, project: Project, values: Mapping[str, Any], actor: User) -> Issue:
    """A new issue; no changelog entry is made for what it is created with."""
    project.last_number += 1
    now = state.tick()
    issue = Issue(
        id=state.number("issue"),
        key=f"{project.key}-{project.last_number}",
        project=project.key,
        summary=values["summary"],
        reporter=values.get("reporter") or actor.account_id,
        creator=actor.account_id,
        created=now,
        updated=now,
    )
    for name, value in values.items():
        if name in ("summary", "reporter"):
            continue
        if name in Issue.__slots__:
            setattr(issue, name, value)
        else:
            issue.extra[name] = value
    state.add_issue(issue)
    state.notify("issue_created", issue, actor)
    publish_issue(state, "jira:issue_created", issue, actor)
    return issue


def edit(
    state: SandboxState,
    issue: Issue,
    values: Mapping[str, Any],
    actor: User,
    notify: bool = True,
) -> History | None:
    """Set fields; one changelog entry for all that really changed, none if nothing did.

    `notify=False` is heeded for administrators only, and silently ignored for others:
    https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issues/
    """
    changes = [
        change for name, value in values.items() if (change := _set(state, issue, name, value))
    ]
    if not changes:
        return None
    history = state.record(issue, actor, changes)
    silent = not notify and actor.administers(issue.project)
    state.notify("issue_updated", issue, actor, wanted=not silent)
    publish_issue(state, "jira:issue_updated", issue, actor, history)
    return history


def transition(
    state: SandboxState, issue: Issue, transition_id: str, values: Mapping[str, Any], actor: User
) -> None:
    """Move to another status. Done sets the resolution, leaving it takes it away."""
    target = next((s for s in STATUSES.values() if s.transition == transition_id), None)
    if target is None:
        raise Refusal(400, f"Transition id '{transition_id}' is not valid for this issue.")
    edit(state, issue, {**values, "status": target.id}, actor)


def transition_to(status_name: str) -> str:
    """Id of the transition that leads to a status, by the status's name."""
    for status in STATUSES.values():
        if status.name.lower() == status_name.lower():
            return status.transition
    raise ValueError(f"unknown status {status_name!r}")


def delete(state: SandboxState, issue: Issue, actor: User) -> None:
    publish_issue(state, "jira:issue_deleted", issue, actor)
    state.notify("issue_deleted", issue, actor)
    state.remove_issue(issue)


def link(state: SandboxState, type_id: str, source: Issue, target: Issue, actor: User) -> Link:
    """`source` blocks `target`, for the type Blocks. Both issues get a changelog entry."""
    if source.id == target.id:
        raise Refusal(400, "You cannot link an issue to itself.")
    for known in state.links_of(source):
        if (known.type, known.source, known.target) == (type_id, source.id, target.id):
            return known
    made = Link(state.number("link"), type_id, source.id, target.id)
    state.links[made.id] = made
    for issue, change in zip((source, target), _link_changes(state, made), strict=True):
        state.record(issue, actor, [change])
    publish_link(state, "issuelink_created", made, actor)
    return made


def unlink(state: SandboxState, known: Link, actor: User) -> None:
    publish_link(state, "issuelink_deleted", known, actor)
    del state.links[known.id]
    changes = _link_changes(state, known)
    for issue_id, change in zip((known.source, known.target), changes, strict=True):
        gone = Change("Link", "issuelinks", change.after, change.after_text, None, None)
        state.record(state.issues[issue_id], actor, [gone])


def _link_changes(state: SandboxState, known: Link) -> tuple[Change, Change]:
    _, inward, outward = LINK_TYPES[known.type]
    source, target = state.issues[known.source], state.issues[known.target]
    return (
        Change("Link", "issuelinks", None, None, target.key, f"This issue {outward} {target.key}"),
        Change("Link", "issuelinks", None, None, source.key, f"This issue {inward} {source.key}"),
    )


def _set(state: SandboxState, issue: Issue, name: str, value: Any) -> Change | None:
    """Set one field; the change as the changelog shows it, or None if nothing changed."""
    if name == "description":
        return _set_description(issue, value)
    known = name in Issue.__slots__
    before: Any = getattr(issue, name) if known else issue.extra.get(name)
    if before == value or (name == "labels" and set(before) == set(value)):
        return None
    if known:
        setattr(issue, name, value)
    else:
        issue.extra[name] = value
    if name == "status":
        _resolve(state, issue)
    return _change(state, name, before, value)


def _change(state: SandboxState, name: str, before: Any, after: Any) -> Change:
    field = NAMES.get(name, name)
    if name == "labels":
        return Change(field, field, None, " ".join(before), None, " ".join(after))
    if name in ("status", "issue_type", "priority", "assignee", "reporter"):
        title = _titles(state, name)
        return Change(field, field, before, title.get(before), after, title.get(after))
    return Change(field, field, None, _text(before), None, _text(after))


def _titles(state: SandboxState, name: str) -> Mapping[str, str]:
    if name == "status":
        return {status.id: status.name for status in STATUSES.values()}
    if name in ("assignee", "reporter"):
        return {user.account_id: user.display_name for user in state.users.values()}
    return ISSUE_TYPES if name == "issue_type" else PRIORITIES


def _set_description(issue: Issue, value: RichText | None) -> Change | None:
    before = issue.description
    old, new = before.wiki() if before else "", value.wiki() if value else ""
    same_document = bool(before and value and before.adf() == value.adf())
    if same_document or (not old and not new):
        return None
    issue.description = value
    return Change("description", "description", None, old or None, None, new or None)


def _resolve(state: SandboxState, issue: Issue) -> None:
    done = STATUSES[issue.status].category == "done"
    issue.resolution = "Done" if done else None
    issue.status_changed = state.tick()
    issue.resolved = issue.status_changed if done else None


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
