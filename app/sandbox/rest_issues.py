"""REST: issues, their changelog, transitions, links and properties."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.sandbox import comments, issues
from app.sandbox.call import Call, Reply, Route, page
from app.sandbox.comment_input import draft
from app.sandbox.issue_input import FieldReader, check_new, link_type, new_links
from app.sandbox.properties import (
    delete_property,
    entries,
    get_property,
    list_properties,
    put_property,
)
from app.sandbox.records import STATUSES, Issue, Link
from app.sandbox.refusals import Refusal, bad_field
from app.sandbox.shapes import Fields

NO_EDIT = "You do not have permission to edit issues in this project."


def create(call: Call) -> Reply:
    body = call.document()
    fields = body.get("fields")
    wanted = fields.pop("project", None) if isinstance(fields, dict) else None
    name = (wanted.get("key") or wanted.get("id")) if isinstance(wanted, dict) else None
    try:
        project = call.state.project(str(name or ""), call.actor)
    except Refusal:
        raise bad_field("project", "Specify a valid project ID or key") from None
    message = "You do not have permission to create issues in this project."
    call.state.require(call.actor, "CREATE_ISSUES", project.key, 403, message)
    values = FieldReader(call.state, call.face.version, call.actor).read(body, None)
    check_new(values, project)
    properties = entries(body.get("properties"))
    links = [_new_link(call, project.key, wish) for wish in new_links(body)]
    issue = issues.create(call.state, project, values, call.actor)
    issue.properties |= properties
    for kind, other, inward in links:
        ends = (other, issue) if inward else (issue, other)
        issues.link(call.state, kind, *ends, call.actor)
    made = {"id": issue.id, "key": issue.key, "self": call.face.url(f"issue/{issue.id}")}
    return Reply(201, made)


def _new_link(call: Call, project: str, wish: Mapping[str, Any]) -> tuple[str, Issue, bool]:
    """Kind, other end, and whether that end is the inward one."""
    call.state.require(call.actor, "LINK_ISSUES", project, 400, "You may not link issues here.")
    inward = "inwardIssue" in wish
    end = wish.get("inwardIssue" if inward else "outwardIssue")
    named = (end.get("key") or end.get("id")) if isinstance(end, dict) else None
    return link_type(wish.get("type")), call.state.issue(str(named or ""), call.actor), inward


def read(call: Call, key: str) -> Reply:
    issue = call.state.issue(key, call.actor)
    wanted = Fields.of(call.names("fields"), "*all")
    shown = call.face.issue(issue, wanted, call.names("expand"))
    names = call.names("properties")
    if names:
        every = "*all" in names
        shown["properties"] = {
            name: value for name, value in issue.properties.items() if every or name in names
        }
    return Reply(200, shown)


def edit(call: Call, key: str) -> Reply:
    issue = call.state.issue(key, call.actor)
    call.state.require(call.actor, "EDIT_ISSUES", issue.project, 400, NO_EDIT)
    body = call.document()
    values = FieldReader(call.state, call.face.version, call.actor).read(body, issue)
    properties = entries(body.get("properties"))
    issues.edit(call.state, issue, values, call.actor, call.flag("notifyUsers"))
    _comment_beside(call, issue, body)
    issue.properties |= properties
    if call.flag("returnIssue", default=False):
        return Reply(200, call.face.issue(issue, Fields.of((), "*all")))
    return Reply(204)


def delete(call: Call, key: str) -> Reply:
    issue = call.state.issue(key, call.actor)
    message = "You do not have permission to delete issues in this project."
    call.state.require(call.actor, "DELETE_ISSUES", issue.project, 403, message)
    issues.delete(call.state, issue, call.actor)
    return Reply(204)


def changelog(call: Call, key: str) -> Reply:
    """Oldest first, unlike `expand=changelog`."""
    issue = call.state.issue(key, call.actor)
    entries = [call.face.history(history) for history in issue.history]
    out = page(call, "values", entries, most=100, default=100)
    start, size = out["startAt"], out["maxResults"]
    address = call.face.url(f"issue/{issue.key}/changelog")
    out["self"] = f"{address}?maxResults={size}&startAt={start}"
    out["isLast"] = start + size >= len(entries)
    if not out["isLast"]:
        out["nextPage"] = f"{address}?maxResults={size}&startAt={start + size}"
    return Reply(200, out)


def transitions(call: Call, key: str) -> Reply:
    issue = call.state.issue(key, call.actor)
    allowed = call.actor.may("TRANSITION_ISSUES", issue.project)
    shown = [call.face.transition(status) for status in STATUSES] if allowed else []
    wanted = call.query.get("transitionId")
    shown = [entry for entry in shown if wanted in (None, entry["id"])]
    return Reply(200, {"expand": "transitions", "transitions": shown})


def transition(call: Call, key: str) -> Reply:
    issue = call.state.issue(key, call.actor)
    body = call.document()
    chosen = body.get("transition")
    if not isinstance(chosen, dict) or not chosen.get("id"):
        raise Refusal(400, "Missing 'transition' identifier")
    message = "You do not have permission to transition this issue."
    call.state.require(call.actor, "TRANSITION_ISSUES", issue.project, 400, message)
    values = FieldReader(call.state, call.face.version, call.actor).read(body, issue)
    issues.transition(call.state, issue, str(chosen["id"]), values, call.actor)
    _comment_beside(call, issue, body)
    return Reply(204)


def _comment_beside(call: Call, issue: Issue, body: dict[str, Any]) -> None:
    """`update.comment[].add`: a comment that comes with an edit or a transition."""
    verbs = (body.get("update") or {}).get("comment")
    for verb in verbs if isinstance(verbs, list) else []:
        if isinstance(verb, dict) and isinstance(verb.get("add"), dict):
            comments.add(call.state, issue, draft(verb["add"], call.face.version), call.actor)


def link(call: Call) -> Reply:
    body = call.document()
    kind = link_type(body.get("type"))
    ends = []
    for name in ("inwardIssue", "outwardIssue"):
        end = body.get(name)
        named = (end.get("id") or end.get("key")) if isinstance(end, dict) else None
        ends.append(call.state.issue(str(named or ""), call.actor))
    source, target = ends
    message = "No Link Issue Permission for issue"
    call.state.require(call.actor, "LINK_ISSUES", source.project, 404, f"{message} '{source.key}'")
    issues.link(call.state, kind, source, target, call.actor)
    if isinstance(body.get("comment"), dict):
        comments.add(call.state, source, draft(body["comment"], call.face.version), call.actor)
    return Reply(201)


def read_link(call: Call, link_id: str) -> Reply:
    return Reply(200, call.face.link(_link(call, link_id)))


def unlink(call: Call, link_id: str) -> Reply:
    found = _link(call, link_id)
    project = call.state.issues[found.source].project
    call.state.require(call.actor, "LINK_ISSUES", project, 404, "No Link Issue Permission")
    issues.unlink(call.state, found, call.actor)
    return Reply(204)


def _link(call: Call, link_id: str) -> Link:
    found = call.state.links.get(link_id)
    if found is None:
        raise Refusal(404, f"No issue link with id '{link_id}' exists.")
    for end in (found.source, found.target):
        call.state.issue(end, call.actor)
    return found


def property_keys(call: Call, key: str) -> Reply:
    issue = call.state.issue(key, call.actor)
    return list_properties(issue.properties, call.face.url(f"issue/{issue.id}/properties"))


def read_property(call: Call, key: str, name: str) -> Reply:
    return get_property(call.state.issue(key, call.actor).properties, name)


def write_property(call: Call, key: str, name: str) -> Reply:
    issue = call.state.issue(key, call.actor)
    call.state.require(call.actor, "EDIT_ISSUES", issue.project, 403, NO_EDIT)
    return put_property(issue.properties, name, call)


def remove_property(call: Call, key: str, name: str) -> Reply:
    issue = call.state.issue(key, call.actor)
    call.state.require(call.actor, "EDIT_ISSUES", issue.project, 403, NO_EDIT)
    return delete_property(issue.properties, name)


ROUTES: list[Route] = [
    ("POST", "/issue", create),
    ("GET", "/issue/{key}", read),
    ("PUT", "/issue/{key}", edit),
    ("DELETE", "/issue/{key}", delete),
    ("GET", "/issue/{key}/changelog", changelog),
    ("GET", "/issue/{key}/transitions", transitions),
    ("POST", "/issue/{key}/transitions", transition),
    ("GET", "/issue/{key}/properties", property_keys),
    ("GET", "/issue/{key}/properties/{name}", read_property),
    ("PUT", "/issue/{key}/properties/{name}", write_property),
    ("DELETE", "/issue/{key}/properties/{name}", remove_property),
    ("POST", "/issueLink", link),
    ("GET", "/issueLink/{link_id}", read_link),
    ("DELETE", "/issueLink/{link_id}", unlink),
]
